import type { Expression, SourceUnit, VariableDeclaration } from "solidity-ast";
import { findAll } from "solidity-ast/utils.js";
import { changesOf } from "./operators.ts";
import {
  type AnyNode,
  type Change,
  changed,
  fromBytes,
  isExpression,
  isWritten,
  type Range,
  rangeOf,
  type SourceFile,
  typeOf,
  walk,
} from "./syntax.ts";

/**
 * The part of a program at which one build can hold both the original and the mutants: an expression, a statement,
 * or all uses of a constant.
 */
export type Site =
  | { kind: "expression" | "statement"; range: Range }
  | { kind: "constant"; declaration: number };

/** A program that differs from ours in one place. */
export interface Mutant {
  /** From 1 on. */
  id: number;
  file: string;
  line: number;
  /** The line of the file, trimmed. */
  lineText: string;
  site: Site;
  /** What stands at the site in this mutant; nothing where a statement is left out. */
  text: string;
  /** What stands there in ours, and in this mutant, with all white space as one blank. */
  from: string;
  to: string;
}

/** Parts of the tree that do nothing at run time. */
const INERT = new Set([
  "ArrayTypeName",
  "StructuredDocumentation",
  "ImportDirective",
  "PragmaDirective",
  "EnumDefinition",
]);

const STATEMENTS = new Set([
  "ExpressionStatement",
  "EmitStatement",
  "RevertStatement",
  "Return",
  "Break",
  "Continue",
  "InlineAssembly",
]);

const UNTYPED = /^(int_const|rational_const|literal_string|tuple\(|error$|function |type\()/;

/** All mutants of the files' code, in the order of the text. What cannot be a site (a loop's header, say) has none. */
export function mutantsOf(files: readonly SourceFile[], trees: readonly SourceUnit[]): Mutant[] {
  const nextValues = valuesAfter(trees);
  const found = files.flatMap((file) => mutantsIn(file, nextValues));
  return found.map((mutant, index) => ({ id: index + 1, ...mutant }));
}

function mutantsIn(file: SourceFile, nextValues: ReadonlyMap<number, string>): Omit<Mutant, "id">[] {
  const programs = new Map<string, { start: number; mutant: Omit<Mutant, "id"> }>();
  for (const [node, ancestors] of walk(file.tree)) {
    const path = [node, ...ancestors];
    if (path.some(({ nodeType }) => INERT.has(nodeType))) continue;
    for (const change of changesOf(node, { file, ancestors, nextValues })) {
      const mutant = describe(file, change, path);
      const program = changed(file, { start: 0, end: file.text.length }, change).replaceAll(/\s/g, "");
      if (mutant && !programs.has(program)) programs.set(program, { start: change.start, mutant });
    }
  }
  const inOrder = [...programs.values()].sort((a, b) => a.start - b.start);
  return inOrder.map(({ mutant }) => mutant);
}

/** For each value of an enum, the name of the one after it; the first comes after the last. */
function valuesAfter(trees: readonly SourceUnit[]): Map<number, string> {
  const after = new Map<number, string>();
  for (const { members } of trees.flatMap((tree) => [...findAll("EnumDefinition", tree)])) {
    for (const [index, { id }] of members.entries()) {
      after.set(id, members[(index + 1) % members.length]?.name ?? "");
    }
  }
  return after;
}

function describe(file: SourceFile, change: Change, path: readonly AnyNode[]): Omit<Mutant, "id"> | null {
  const site = siteOf(file, path);
  const [node] = path;
  if (site === null || node === undefined) return null;
  const range = site.kind === "constant" ? rangeOf(path.find(isConstant)?.value ?? node) : site.range;
  const before = file.text.slice(0, change.start);
  const lineStart = before.lastIndexOf("\n") + 1;
  const lineEnd = file.text.indexOf("\n", change.start);
  const plain = (text: string) => fromBytes(text).replaceAll(/\s+/g, " ").trim();
  const text = changed(file, range, change).replace(/^\s*;$/, "");
  return {
    file: file.path,
    line: before.split("\n").length,
    lineText: plain(file.text.slice(lineStart, lineEnd)),
    from: plain(file.text.slice(range.start, range.end)),
    to: plain(text),
    site,
    text,
  };
}

function isConstant(node: AnyNode): node is VariableDeclaration {
  return node.nodeType === "VariableDeclaration" && node.constant;
}

/** The innermost part around a node that can stand in a choice between programs. */
function siteOf(file: SourceFile, path: readonly AnyNode[]): Site | null {
  const constant = path.find(isConstant);
  if (constant) return { kind: "constant", declaration: constant.id };
  for (const [index, node] of path.entries()) {
    const ancestors = path.slice(index + 1);
    const [parent] = ancestors;
    if (isExpression(node) && canBeChosen(node, ancestors))
      return { kind: "expression", range: rangeOf(node) };
    if (!STATEMENTS.has(node.nodeType)) continue;
    if (parent?.nodeType === "ForStatement" && parent.body !== node) return null;
    return { kind: "statement", range: withSemicolon(file, rangeOf(node)) };
  }
  return null;
}

/** True where `condition ? mutant : original` has the type of the original. */
function canBeChosen(node: Expression, ancestors: readonly AnyNode[]): boolean {
  const [parent] = ancestors;
  if (isWritten(node, ancestors)) return false;
  if (parent?.nodeType === "VariableDeclarationStatement") return !typeOf(node).startsWith("tuple(");
  if (parent?.nodeType === "ModifierInvocation") return true;
  return node.nodeType !== "Assignment" && !UNTYPED.test(typeOf(node));
}

/** The compiler's ranges of statements end before their semicolons. */
function withSemicolon(file: SourceFile, { start, end }: Range): Range {
  const [tail = ""] = file.text.slice(end).match(/^\s*;/) ?? [];
  return { start, end: end + tail.length };
}
