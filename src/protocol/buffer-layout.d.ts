/** The part of buffer-layout that layout.ts builds on; the package ships no types. */
declare module 'buffer-layout' {
  export class Layout<T = unknown> {
    constructor(span: number, property?: string);
    readonly span: number;
    readonly property: string | undefined;
    decode(b: Uint8Array, offset?: number): T;
    encode(value: T, b: Uint8Array, offset?: number): number;
    getSpan(b?: Uint8Array, offset?: number): number;
    replicate(property: string): this;
  }
  export class Structure extends Layout<Record<string, unknown>> {
    constructor(fields: readonly Layout[], property?: string);
    readonly fields: readonly Layout[];
    makeDestinationObject(): Record<string, unknown>;
  }
}
