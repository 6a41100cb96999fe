/** The sub-protocol of `docs/protocol.md`: who does not speak it would not acknowledge, so the connection is not made. */
export const PROTOCOL = 'event-manager.v1';
