import type { Execute } from '../command.ts';
export const execute: Execute = () => Promise.resolve(1);
