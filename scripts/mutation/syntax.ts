import type { Expression, SourceUnit } from "solidity-ast";
import type { Node, YulNode } from "solidity-ast/node.js";

/** A node of the compiler's syntax tree, of Solidity or of inline assembly. */
export type AnyNode = Node | YulNode;

/** A part of a file, as offsets in `SourceFile.text`. */
export interface Range {
  start: number;
  end: number;
}

/** A range, and what stands there instead. */
export interface Change extends Range {
  text: string;
}

export interface SourceFile {
  /** From the project's root. */
  path: string;
  /** One character for each byte, because the compiler counts bytes. */
  text: string;
  tree: SourceUnit;
}

export function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

export function rangeOf({ src }: { src: string }): Range {
  const [start = 0, length = 0] = src.split(":").map(Number);
  return { start, end: start + length };
}

export function textOf(file: SourceFile, node: { src: string }): string {
  const { start, end } = rangeOf(node);
  return file.text.slice(start, end);
}

/** The text of a range after a change within it. */
export function changed(file: SourceFile, range: Range, change: Change): string {
  return file.text.slice(range.start, change.start) + change.text + file.text.slice(change.end, range.end);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

/** Every node below one, outermost first, each with its ancestors, innermost first. */
export function* walk(
  node: AnyNode,
  ancestors: readonly AnyNode[] = [],
): Generator<[AnyNode, readonly AnyNode[]]> {
  yield [node, ancestors];
  const values: unknown[] = Object.values(node);
  for (const child of values.flat().filter(isNode)) yield* walk(child, [node, ...ancestors]);
}

const EXPRESSIONS = new Set<string>([
  "Assignment",
  "BinaryOperation",
  "Conditional",
  "FunctionCall",
  "Identifier",
  "IndexAccess",
  "Literal",
  "MemberAccess",
  "TupleExpression",
  "UnaryOperation",
]);

export function isExpression(node: AnyNode): node is Expression {
  return EXPRESSIONS.has(node.nodeType) && "typeDescriptions" in node;
}

/** The type as Solidity writes it; constants that are not tied to a type yet are `int_const …` or `literal_string …`. */
export function typeOf(node: Expression): string {
  return node.typeDescriptions.typeString ?? "";
}

/** True where an expression stands to be written to, alone or in a tuple. */
export function isWritten(node: AnyNode, ancestors: readonly AnyNode[]): boolean {
  const [parent, ...others] = ancestors;
  switch (parent?.nodeType) {
    case "Assignment":
      return parent.leftHandSide === node;
    case "UnaryOperation":
      return ["++", "--", "delete"].includes(parent.operator);
    case "TupleExpression":
      return isWritten(parent, others);
    default:
      return false;
  }
}
