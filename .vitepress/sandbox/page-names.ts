/**
 * The name server of the page's network: knows the page and the machines in it, and says of every other name
 * that there is none.
 *
 * Source: RFC 1035, 4.1 (messages), 3.2 (types and classes), 4.1.4 (a name told again by a pointer).
 */
import { type Ipv4, read16, write16, write32 } from "../../sandbox/net/addresses.ts";

const HEADER = 12;
const RESPONSE = 0x8000;
const AUTHORITATIVE = 0x0400;
const OPCODE_AND_RECURSION_DESIRED = 0x7900;
const RECURSION_AVAILABLE = 0x0080;
const NO_SUCH_NAME = 3;
const TYPE_A = 1;
const TYPE_ANY = 255;
const CLASS_INTERNET = 1;
const POINTER_TO_QUESTION = 0xc000 | HEADER;
/** Seconds: a machine may have another address after its next boot. */
const TIME_TO_LIVE = 5;
const ANSWER = 16;

interface Question {
  /** In lower case, labels joined by dots. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where it ends in the message. */
  readonly end: number;
}

/** The answer to a query, with `lookUp` telling the address of a name; null if it is no query. */
export function answerQuery(query: Uint8Array, lookUp: (name: string) => Ipv4 | null): Uint8Array | null {
  if (query.length < HEADER || read16(query, 2) & RESPONSE || read16(query, 4) !== 1) return null;
  const question = readQuestion(query);
  if (!question) return null;
  const address = question.class === CLASS_INTERNET ? lookUp(question.name) : null;
  const isGiven = address !== null && (question.type === TYPE_A || question.type === TYPE_ANY);
  const answer = new Uint8Array(question.end + (isGiven ? ANSWER : 0));
  answer.set(query.subarray(0, question.end));
  const kept = read16(query, 2) & OPCODE_AND_RECURSION_DESIRED;
  const code = address === null ? NO_SUCH_NAME : 0;
  write16(answer, 2, RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | kept | code);
  write16(answer, 6, isGiven ? 1 : 0);
  answer.fill(0, 8, HEADER);
  if (isGiven) {
    write16(answer, question.end, POINTER_TO_QUESTION);
    write16(answer, question.end + 2, TYPE_A);
    write16(answer, question.end + 4, CLASS_INTERNET);
    write32(answer, question.end + 6, TIME_TO_LIVE);
    write16(answer, question.end + 10, 4);
    write32(answer, question.end + 12, address);
  }
  return answer;
}

function readQuestion(query: Uint8Array): Question | null {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query[at]; length; length = query[at]) {
    // A pointer, or a length that leads out of the message.
    if (length > 63 || at + 1 + length >= query.length) return null;
    labels.push(String.fromCharCode(...query.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  const end = at + 5;
  if (end > query.length) return null;
  const name = labels.join(".").toLowerCase();
  return { name, type: read16(query, at + 1), class: read16(query, at + 3), end };
}
