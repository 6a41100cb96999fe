export { type AddressGuard, type AddressGuardOptions, addressGuard } from './address/address-guard.ts';
export { checkEndpoint } from './address/check-endpoint.ts';
export { type Sender, type SenderLimits, type SenderOptions, webhookSender } from './send/sender.ts';
export { generateSecret, readSecret } from './signature/secret.ts';
export { type Signable, sign } from './signature/sign.ts';
export { type Verification, verify } from './signature/verify.ts';
export { type WebhookSinkOptions, webhookSink } from './webhook-sink.ts';
