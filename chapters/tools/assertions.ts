/** vitest's `expect` without vitest: what the collector gives to the tests, here and in a browser. */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  type ExpectStatic,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  { getState: () => getState(expect), setState: (state: object) => setState(state, expect) },
) as unknown as ExpectStatic;

setState({ assertionCalls: 0 }, expect);
(chai.expect as unknown as { extend(target: ExpectStatic, matchers: object): void }).extend(
  expect,
  customMatchers,
);
Object.assign(expect, (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT]);
