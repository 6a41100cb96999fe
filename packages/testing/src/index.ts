export * from './disk-error.ts';
export type { DiskFault, DiskOperation } from './disk-faults.ts';
export type { MountedDisk } from './mounted-disk.ts';
export * from './seeded-chance.ts';
export * from './simulated-disk.ts';
export type { CrashMode } from './simulated-file.ts';
export * from './virtual-time.ts';
