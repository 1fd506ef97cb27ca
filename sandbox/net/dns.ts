/** DNS messages, as far as the network says something itself: that no name server can be asked. */
import { read16, write16 } from "./addresses.ts";

export const DNS_PORT = 53;

const HEADER = 12;
const RESPONSE = 0x8000;
const OPCODE_AND_RECURSION_DESIRED = 0x7900;
const RECURSION_AVAILABLE = 0x0080;
const SERVER_FAILURE = 2;

/**
 * The answer SERVFAIL to a question; null if it is no question. The question itself is repeated if there
 * is one, and nothing else. Source: RFC 1035, 4.1.
 */
export function servFail(query: Uint8Array): Uint8Array | null {
  if (query.length < HEADER || read16(query, 2) & RESPONSE) return null;
  let end = HEADER;
  const hasQuestion = read16(query, 4) === 1;
  if (hasQuestion) {
    // A name is labels, each with its length before it, and an empty one at the end; then type and class.
    while (end < query.length && query[end] !== 0) end += 1 + query[end]!;
    end += 1 + 4;
    if (end > query.length) return null;
  }
  const answer = query.slice(0, end);
  const kept = read16(query, 2) & OPCODE_AND_RECURSION_DESIRED;
  write16(answer, 2, RESPONSE | kept | RECURSION_AVAILABLE | SERVER_FAILURE);
  write16(answer, 4, hasQuestion ? 1 : 0);
  answer.fill(0, 6, HEADER);
  return answer;
}
