/** Absolute path of the bundle's entry. */
export declare const bundle: string;
/** Writes the bundle and its chunks into dist/. */
export declare function buildCli(): Promise<void>;
