import type {
  Assignment,
  BinaryOperation,
  Expression,
  FunctionCall,
  Literal,
  UnaryOperation,
} from "solidity-ast";
import { type AnyNode, type Change, isWritten, rangeOf, type SourceFile, textOf, typeOf } from "./syntax.ts";

/** Where a node stands: its file, its ancestors (innermost first), and the name after each enum value's own, by the value's id. */
export interface Place {
  file: SourceFile;
  ancestors: readonly AnyNode[];
  nextValues: ReadonlyMap<number, string>;
}

/**
 * What each comparison of numbers becomes. These three kill whatever the other replacements would kill
 * (Kaminski, Ammann and Offutt, "Improving logic-based testing", 2013).
 */
const COMPARISONS: Record<string, string[]> = {
  "<": ["false", "<=", "!="],
  ">": ["false", ">=", "!="],
  "<=": ["true", "<", "=="],
  ">=": ["true", ">", "=="],
  "==": ["false", "<=", ">="],
  "!=": ["true", "<", ">"],
};

const OPERATORS: Record<string, string> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "**": "*",
  "&": "|",
  "|": "&",
  "^": "&",
  "<<": ">>",
  ">>": "<<",
  "&&": "||",
  "||": "&&",
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "%=": "*=",
  "&=": "|=",
  "|=": "&=",
  "^=": "&=",
  "<<=": ">>=",
  ">>=": "<<=",
  "++": "--",
  "--": "++",
};

/** Calls whose arguments have no order. */
const SYMMETRIC = new Set(["max", "min"]);

const LOOPS = new Set(["ForStatement", "WhileStatement", "DoWhileStatement"]);

const SIMPLE_STATEMENTS = new Set(["EmitStatement", "RevertStatement", "Break", "Continue"]);

/** All that is changed of one node itself; its children have their own turn. */
export function changesOf(node: AnyNode, place: Place): Change[] {
  const replaceBy = (texts: string[]) => texts.map((text) => ({ ...rangeOf(node), text }));
  switch (node.nodeType) {
    case "BinaryOperation":
      return replaceBy(binaryOperation(node, place));
    case "UnaryOperation":
      return replaceBy(unaryOperation(node, place));
    case "Assignment":
      return [...replaceBy(compoundAssignment(node, place)), ...fieldsLeftOut(node)];
    case "Literal":
      return replaceBy(literal(node));
    case "FunctionCall":
      return [...replaceBy(condition(node, place)), ...argumentsSwapped(node, place)];
    case "TupleExpression":
      return isWritten(node, place.ancestors) ? [] : neighboursSwapped(node.components, place);
    case "MemberAccess":
      return replaceBy([...condition(node, place), ...enumValue(node, place)]);
    case "Identifier":
    case "IndexAccess":
      return replaceBy(condition(node, place));
    case "Return":
      return node.expression && typeOf(node.expression) !== "bool" ? replaceBy(leftOut(node, place)) : [];
    case "ExpressionStatement":
      return bindsStorage(node.expression) ? [] : replaceBy(leftOut(node, place));
    case "YulLiteral":
      return replaceBy(yulLiteral(textOf(place.file, node)));
    case "YulExpressionStatement":
      return replaceBy([""]);
    default:
      return SIMPLE_STATEMENTS.has(node.nodeType) ? replaceBy(leftOut(node, place)) : [];
  }
}

function operand(node: Expression, { file }: Place): string {
  const text = textOf(file, node);
  return node.nodeType === "BinaryOperation" || node.nodeType === "Conditional" ? `(${text})` : text;
}

function binaryOperation(node: BinaryOperation, place: Place): string[] {
  if (typeOf(node).startsWith("int_const")) return [];
  const [left, right] = [operand(node.leftExpression, place), operand(node.rightExpression, place)];
  const joined = (operator: string) => `(${left} ${operator} ${right})`;
  if (node.operator in COMPARISONS) {
    return comparison(node, place).map((by) => (by === "true" || by === "false" ? by : joined(by)));
  }
  const dropped = ["&", "|", "^"].includes(node.operator) ? [left, right] : [];
  const other = OPERATORS[node.operator];
  return other === undefined ? dropped : [joined(other), ...dropped];
}

function comparison(node: BinaryOperation, { ancestors }: Place): string[] {
  const isUnsigned = node.commonType.typeString?.startsWith("uint") ?? false;
  const right = node.rightExpression;
  const isAgainstZero = right.nodeType === "Literal" && right.value === "0";
  // What has no order is equal or not, and nothing is below zero: all else would be the same program.
  if (!isUnsigned || (isAgainstZero && node.operator !== "<=")) return ["true", "false"];
  const replacements = COMPARISONS[node.operator] ?? [];
  // A counter that goes up by one meets its end where it would pass it.
  return LOOPS.has(ancestors[0]?.nodeType ?? "") ? replacements.filter((by) => by !== "!=") : replacements;
}

/** A truth value that is not computed here is forced to be either. */
function condition(node: Expression, { ancestors }: Place): string[] {
  const isUnused = ancestors[0]?.nodeType === "ExpressionStatement";
  return typeOf(node) === "bool" && !isWritten(node, ancestors) && !isUnused ? ["true", "false"] : [];
}

function unaryOperation(node: UnaryOperation, place: Place): string[] {
  const value = textOf(place.file, node.subExpression);
  if (node.operator === "-" || node.operator === "~") return [value];
  const other = OPERATORS[node.operator];
  if (other === undefined) return [];
  const isUsed = place.ancestors[0]?.nodeType !== "ExpressionStatement";
  const moved = node.prefix ? value + node.operator : node.operator + value;
  return [node.prefix ? other + value : value + other, ...(isUsed ? [moved] : [])];
}

function compoundAssignment(node: Assignment, { file }: Place): string[] {
  const other = OPERATORS[node.operator];
  return other === undefined
    ? []
    : [`${textOf(file, node.leftHandSide)} ${other} ${textOf(file, node.rightHandSide)}`];
}

/** `(a, b) = …` without writing to one of them. */
function fieldsLeftOut({ leftHandSide }: Assignment): Change[] {
  if (leftHandSide.nodeType !== "TupleExpression") return [];
  return leftHandSide.components.flatMap((field) => (field ? [{ ...rangeOf(field), text: "" }] : []));
}

function literal({ kind, value, subdenomination }: Literal): string[] {
  if (kind === "bool") return [value === "true" ? "false" : "true"];
  if (kind === "string") return value === "" ? [] : ['""'];
  const digits = (value ?? "").replaceAll("_", "");
  if (kind !== "number" || !/^(0x[0-9a-f]+|\d+)$/i.test(digits)) return [];
  const number = BigInt(digits);
  const unit = subdenomination ? ` ${subdenomination}` : "";
  return [number + 1n, number - 1n].filter((near) => near >= 0n).map((near) => `${near}${unit}`);
}

/** In assembly, numbers are places in memory: a word more, and a word less. */
function yulLiteral(text: string): string[] {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return [];
  const number = BigInt(text);
  return [number + 32n, number - 32n].filter((near) => near >= 0n).map((near) => `0x${near.toString(16)}`);
}

function enumValue(node: Expression, { nextValues, file }: Place): string[] {
  if (node.nodeType !== "MemberAccess") return [];
  const next = nextValues.get(node.referencedDeclaration ?? -1);
  return next === undefined ? [] : [`${textOf(file, node.expression)}.${next}`];
}

function argumentsSwapped(node: FunctionCall, place: Place): Change[] {
  const { expression } = node;
  const name = expression.nodeType === "MemberAccess" ? expression.memberName : "";
  return SYMMETRIC.has(name) ? [] : neighboursSwapped(node.arguments, place);
}

function neighboursSwapped(values: (Expression | null)[], { file }: Place): Change[] {
  return values.flatMap((second, index) => {
    const first = values[index - 1];
    if (!first || !second || typeOf(first) !== typeOf(second)) return [];
    const [one, two] = [textOf(file, first), textOf(file, second)];
    const between = file.text.slice(rangeOf(first).end, rangeOf(second).start);
    return one === two
      ? []
      : [{ start: rangeOf(first).start, end: rangeOf(second).end, text: two + between + one }];
  });
}

/** Nothing in place of a statement, unless it is all that an `if` or a loop does: then its condition is forced to be false. */
function leftOut(node: AnyNode, { ancestors }: Place): string[] {
  const [parent, grandparent] = ancestors;
  const isAlone = parent?.nodeType === "Block" && parent.statements?.length === 1;
  const [body, owner] = isAlone ? [parent, grandparent] : [node, parent];
  if (owner?.nodeType === "IfStatement" && !owner.falseBody && owner.trueBody === body) return [];
  return owner !== undefined && LOOPS.has(owner.nodeType) ? [] : [""];
}

/** The compiler insists on such assignments. */
function bindsStorage(expression: Expression): boolean {
  return expression.nodeType === "Assignment" && typeOf(expression).endsWith(" storage pointer");
}
