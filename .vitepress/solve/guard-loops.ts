/**
 * Lets every loop of a learner's file look at the clock now and then. Nothing else can say in which line a program
 * goes round for ever: from outside, a worker can only be ended.
 */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@lezer/javascript";
import { TURNS_OF_A_LOOK } from "./turn-of-loop.ts";

const LOOPS: readonly string[] = ["ForStatement", "WhileStatement", "DoStatement"];

/** JavaScript of the same lines, and one more that imports `turn` from `module`. */
export function guardLoops(code: string, module: string): string {
  const tree = parser.parse(code);
  const insertions: { readonly at: number; readonly text: string }[] = [];
  let isWhole = true;
  let loops = 0;
  tree.iterate({
    enter(node) {
      if (node.type.isError) isWhole = false;
      const body = LOOPS.includes(node.name) ? bodyOf(node.node) : undefined;
      if (body) insertions.push(...guard(node.node, body, loops++));
    },
  });
  // What is no JavaScript is told by whoever loads it.
  if (!isWhole || loops === 0) return code;
  let guarded = "";
  let from = 0;
  for (const { at, text } of insertions.sort((one, other) => one.at - other.at)) {
    guarded += code.slice(from, at) + text;
    from = at;
  }
  return `${guarded}${code.slice(from)}\nimport { turn as $turn } from ${JSON.stringify(module)};`;
}

/** `do body while (…)`; `for (…) body` and `while (…) body`. */
function bodyOf(loop: SyntaxNode): SyntaxNode | undefined {
  const body = loop.name === "DoStatement" ? loop.firstChild?.nextSibling : loop.lastChild;
  return body ?? undefined;
}

function* guard(loop: SyntaxNode, body: SyntaxNode, number: number) {
  const outer = withLabels(loop);
  const look = `if(++$turns${number}%${TURNS_OF_A_LOOK}===0)$time${number}=$turn($time${number});`;
  yield { at: outer.from, text: `{let $turns${number}=0,$time${number};` };
  if (body.name === "Block") yield { at: body.from + 1, text: look };
  else {
    yield { at: body.from, text: `{${look}` };
    yield { at: body.to, text: "}" };
  }
  yield { at: outer.to, text: "}" };
}

/** The labels of a loop stand right before it. */
function withLabels(loop: SyntaxNode): SyntaxNode {
  let outer = loop;
  while (outer.parent?.name === "LabeledStatement") outer = outer.parent;
  return outer;
}
