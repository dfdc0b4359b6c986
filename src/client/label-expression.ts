/**
 * Which chunkservers a copy may lie on, as text and as masters keep it. Text: `*` any server, `A` those with the label A, `A&B` (or
 * `AB`) with both, `A|B` (or `A+B`) with one of them, `!A` without it, and parentheses. On the wire it is masks on 3.x (labels of a
 * mask together, up to four masks as alternatives) and reverse Polish notation on 4.x.
 */
import { ProtocolError } from '../errors.ts';
import { invalidValue } from './arguments.ts';

type Expression =
  | { readonly kind: 'any' }
  | { readonly kind: 'label'; readonly label: number }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Expression[] };

/** Bytes of an expression: on 3.x, and on 4.x. */
export type ExpressionSize = 16 | 128;

const MASKS = 4;
const A = 65;
/** Codes of 4.x. */
const Code = { end: 0x00, not: 0x01, or: 0x40, and: 0x80, label: 0xc0, any: 0xff } as const;
const LABELS = 26;
const ANY: Expression = { kind: 'any' };

/** Text to bytes. Throws `ERR_INVALID_ARG_VALUE` where it is no expression, or none that this size can hold. */
export function encodeExpression(text: string, size: ExpressionSize, argument = 'labels'): Buffer {
  const expression = new Parser(text, argument).parse();
  const bytes = size === 16 ? masksOf(expression) : polishOf(expression);
  if (bytes === undefined || bytes.length > size) {
    const why =
      size === 16 ? 'must be at most four alternatives of labels, without "!": this is MooseFS 3' : 'is too long';
    throw invalidValue(argument, text, why);
  }
  return Buffer.concat([bytes], size);
}

/** Bytes to text. */
export function decodeExpression(bytes: Uint8Array): string {
  return textOf(bytes.length === 16 ? fromMasks(bytes) : fromPolish(bytes));
}

/** `A,2B|C` to an expression for each copy: `A`, `B|C`, `B|C`. Throws `ERR_INVALID_ARG_VALUE`. */
export function splitCopies(text: string, argument = 'labels'): string[] {
  return text.split(',').flatMap((part) => {
    const [, count, expression] = /^\s*(\d*)\s*(.*?)\s*$/.exec(part)!;
    const copies = count === '' ? 1 : Number(count);
    if (copies < 1 || copies > 9) throw invalidValue(argument, text, 'must name 1 to 9 copies');
    if (expression === '' && count === '') throw invalidValue(argument, text, 'must be label expressions with commas');
    return Array.from({ length: copies }, () => (expression === '' ? '*' : expression!));
  });
}

class Parser {
  readonly #text: string;
  readonly #argument: string;
  readonly #tokens: string[];

  constructor(text: string, argument: string) {
    this.#text = text;
    this.#argument = argument;
    this.#tokens = Array.from(text.replaceAll(/\s/g, ''));
  }

  parse(): Expression {
    const found = this.#or();
    if (this.#tokens.length > 0) this.#fail();
    return found;
  }

  #or(): Expression {
    const alternatives = [this.#and()];
    while (this.#tokens[0] === '|' || this.#tokens[0] === '+') {
      this.#tokens.shift();
      alternatives.push(this.#and());
    }
    return alternatives.length === 1 ? alternatives[0]! : { kind: 'or', of: alternatives };
  }

  #and(): Expression {
    const parts = [this.#single()];
    for (let next = this.#tokens[0]; next !== undefined && /[A-Z(!~&]/.test(next); next = this.#tokens[0]) {
      if (next === '&') this.#tokens.shift();
      parts.push(this.#single());
    }
    return parts.length === 1 ? parts[0]! : { kind: 'and', of: parts };
  }

  #single(): Expression {
    const token = this.#tokens.shift();
    if (token === '*') return ANY;
    if (token === '!' || token === '~') return { kind: 'not', of: this.#single() };
    if (token === '(') {
      const inner = this.#or();
      if (this.#tokens.shift() !== ')') this.#fail();
      return inner;
    }
    if (token === undefined || !/[A-Z]/.test(token)) this.#fail();
    return { kind: 'label', label: token.charCodeAt(0) - A };
  }

  #fail(): never {
    throw invalidValue(this.#argument, this.#text, 'must be labels A to Z with & | ! and parentheses, or *');
  }
}

function masksOf(expression: Expression): Buffer | undefined {
  const masks = alternativesOf(expression);
  if (masks === undefined || masks.length > MASKS) return undefined;
  const bytes = Buffer.alloc(4 * MASKS);
  // Any server is no mask at all, and an alternative that allows every server makes the others idle.
  if (!masks.includes(0)) masks.forEach((mask, i) => bytes.writeUInt32BE(mask, 4 * i));
  return bytes;
}

/** The masks of an expression without "not", any of which is enough; undefined where there is one. */
function alternativesOf(expression: Expression): number[] | undefined {
  switch (expression.kind) {
    case 'any':
      return [0];
    case 'label':
      return [1 << expression.label];
    case 'not':
      return undefined;
    case 'or': {
      const parts = expression.of.map(alternativesOf);
      return parts.includes(undefined) ? undefined : [...new Set((parts as number[][]).flat())];
    }
    case 'and':
      return expression.of
        .map(alternativesOf)
        .reduce<number[] | undefined>(
          (all, part) =>
            all === undefined || part === undefined || all.length * part.length > 1000
              ? undefined
              : [...new Set(all.flatMap((left) => part.map((right) => left | right)))],
          [0],
        );
  }
}

function fromMasks(bytes: Uint8Array): Expression {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const alternatives = Array.from({ length: MASKS }, (_, i) => view.readUInt32BE(4 * i))
    .filter((mask) => mask !== 0)
    .map((mask): Expression => {
      const labels = Array.from({ length: LABELS }, (_, label) => label)
        .filter((label) => ((mask >>> label) & 1) === 1)
        .map((label): Expression => ({ kind: 'label', label }));
      return labels.length === 1 ? labels[0]! : { kind: 'and', of: labels };
    });
  if (alternatives.length === 0) return ANY;
  return alternatives.length === 1 ? alternatives[0]! : { kind: 'or', of: alternatives };
}

/** The most operands that a code has room for. */
const OPERANDS = 65;

/** Undefined where an operator has more operands than there are codes for. */
function polishOf(expression: Expression): Buffer | undefined {
  const bytes: number[] = [];
  let widest = 0;
  const put = (each: Expression): void => {
    if (each.kind === 'any') bytes.push(Code.any);
    else if (each.kind === 'label') bytes.push(Code.label + each.label);
    else if (each.kind === 'not') {
      put(each.of);
      bytes.push(Code.not);
    } else {
      for (const part of each.of) put(part);
      widest = Math.max(widest, each.of.length);
      bytes.push(Code[each.kind] + each.of.length - 2);
    }
  };
  // Any server is all zeros when it stands alone.
  if (expression.kind !== 'any') put(expression);
  return widest <= OPERANDS ? Buffer.from(bytes) : undefined;
}

function fromPolish(bytes: Uint8Array): Expression {
  const stack: Expression[] = [];
  const take = (count: number): Expression[] => {
    if (stack.length < count) throw new ProtocolError('a label expression takes more values than it has');
    return stack.splice(-count);
  };
  for (const code of bytes) {
    if (code === Code.end) break;
    if (code === Code.any) stack.push(ANY);
    else if (code === Code.not) stack.push({ kind: 'not', of: take(1)[0]! });
    else if (code >= Code.label && code < Code.label + LABELS) stack.push({ kind: 'label', label: code - Code.label });
    else if (code >= Code.and && code < Code.label) stack.push({ kind: 'and', of: take(code - Code.and + 2) });
    else if (code >= Code.or && code < Code.and) stack.push({ kind: 'or', of: take(code - Code.or + 2) });
    else throw new ProtocolError(`a label expression with code ${code}`);
  }
  if (stack.length > 1) throw new ProtocolError('a label expression with more than one value');
  return stack[0] ?? ANY;
}

function textOf(expression: Expression): string {
  const inside = (each: Expression): string => {
    const text = textOf(each);
    return each.kind === 'and' || each.kind === 'or' ? `(${text})` : text;
  };
  switch (expression.kind) {
    case 'any':
      return '*';
    case 'label':
      return String.fromCharCode(A + expression.label);
    case 'not':
      return `!${inside(expression.of)}`;
    case 'and':
      return expression.of.map(inside).join('&');
    case 'or':
      // "And" binds more tightly.
      return expression.of.map((each) => (each.kind === 'and' ? textOf(each) : inside(each))).join('|');
  }
}
