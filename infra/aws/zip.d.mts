/** `name`: with `/` between folders. */
export declare function zip(files: readonly { readonly name: string; readonly contents: Uint8Array }[]): Uint8Array;
