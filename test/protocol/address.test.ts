import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressText, ipNumber, ipText } from '../../src/protocol/address.ts';

describe('an address', () => {
  it.each([
    [0x0a4d000d, '10.77.0.13'],
    [0, '0.0.0.0'],
    [0xffffffff, '255.255.255.255'],
    [0xc0a80001, '192.168.0.1'],
  ])('%i is %s', (ip, text) => {
    expect(ipText(ip)).toBe(text);
    expect(ipNumber(text)).toBe(ip);
    expect(addressText({ ip, port: 9422 })).toBe(`${text}:9422`);
  });
  it('goes there and back', () => {
    fc.assert(fc.property(fc.nat(0xffff_ffff), (ip) => ipNumber(ipText(ip)) === ip));
  });
});
