import { posix } from "node:path";
import type { Mutant } from "./mutants.ts";
import { type Range, rangeOf, type SourceFile, walk } from "./syntax.ts";

/** What every woven file imports. */
export const SWITCH_PATH = "contracts/MutationSwitch.sol";

/**
 * The active mutant's number is the block's COINBASE, which whoever runs the tests sets, and which no contract here
 * reads. Pure functions must be able to ask for it too, so the compiler is told that asking is pure.
 *
 * A mutant that is reached asks the test runner for the time. The runner does not repeat what depended on the time, to
 * trace each step of a failure: nobody reads those traces, and that of an endless loop would fill the memory.
 */
export const SWITCH_SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

function askIfMutantIs(uint256 id) view returns (bool isIt) {
    isIt = uint160(address(block.coinbase)) == id;
    if (!isIt) return false;
    address runner = address(uint160(uint256(keccak256("hevm cheat code"))));
    bytes4 unixTime = bytes4(keccak256("unixTime()"));
    assembly ("memory-safe") {
        mstore(0x00, unixTime)
        pop(staticcall(gas(), runner, 0x00, 0x04, 0x00, 0x00))
    }
}

function mutantIs(uint256 id) pure returns (bool) {
    function(uint256) view returns (bool) ask = askIfMutantIs;
    function(uint256) pure returns (bool) askPurely;
    assembly ("memory-safe") {
        askPurely := ask
    }
    return askPurely(id);
}
`;

/** A file that holds many mutants, of which `mutantIs` chooses one or none. */
export interface Woven {
  text: string;
  /** Where each mutant's own part stands. */
  spans: (Range & { id: number })[];
}

/** One place of a file with its mutants; a constant has as many places as uses. */
interface Fork extends Range {
  isStatement: boolean;
  mutants: Mutant[];
}

/**
 * Weaves mutants into a file. Where one is chosen, its part holds the original of all else, so the text grows with the
 * mutants and the depth, not with their product.
 */
export function weave(file: SourceFile, mutants: readonly Mutant[]): Woven {
  const forks = forksOf(file, mutants);
  const woven: Woven = { text: "", spans: [] };
  const copy = (range: Range, inner: Fork[]) => {
    let at = range.start;
    for (const fork of inner.filter((one) => !inner.some((other) => contains(other, one)))) {
      woven.text += file.text.slice(at, fork.start);
      writeFork(woven, fork, () =>
        copy(
          fork,
          inner.filter((other) => contains(fork, other)),
        ),
      );
      at = fork.end;
    }
    woven.text += file.text.slice(at, range.end);
  };
  copy({ start: 0, end: file.text.length }, forks);
  const way = posix.relative(posix.dirname(file.path), SWITCH_PATH);
  woven.text += `\nimport {mutantIs} from "${way.startsWith(".") ? way : `./${way}`}";\n`;
  return woven;
}

function contains(outer: Fork, inner: Fork): boolean {
  return outer !== inner && outer.start <= inner.start && inner.end <= outer.end;
}

function forksOf(file: SourceFile, mutants: readonly Mutant[]): Fork[] {
  const forks = new Map<string, Fork>();
  const uses = constantUses(file);
  for (const mutant of mutants) {
    const { site } = mutant;
    const isHere = mutant.file === file.path;
    const ranges = site.kind === "constant" ? (uses.get(site.declaration) ?? []) : isHere ? [site.range] : [];
    for (const { start, end } of ranges) {
      const key = `${start}-${end}`;
      const fork = forks.get(key) ?? { start, end, isStatement: site.kind === "statement", mutants: [] };
      fork.mutants.push(mutant);
      forks.set(key, fork);
    }
  }
  return [...forks.values()].sort((a, b) => a.start - b.start || b.end - a.end);
}

/** Where code of this file uses a constant, by the id of its declaration. */
function constantUses({ tree }: SourceFile): Map<number, Range[]> {
  const uses = new Map<number, Range[]>();
  for (const [node, ancestors] of walk(tree)) {
    if (node.nodeType !== "Identifier" && node.nodeType !== "MemberAccess") continue;
    const inCode = ancestors.some(({ nodeType }) => nodeType === "FunctionDefinition");
    const id = node.referencedDeclaration;
    if (inCode && typeof id === "number") uses.set(id, [...(uses.get(id) ?? []), rangeOf(node)]);
  }
  return uses;
}

function writeFork(woven: Woven, { isStatement, mutants }: Fork, writeOriginal: () => void): void {
  woven.text += isStatement ? "{ " : "(";
  for (const { id, text } of mutants) {
    const start = woven.text.length;
    woven.text += isStatement ? `if (mutantIs(${id})) { ${text} }` : `mutantIs(${id}) ? (${text})`;
    woven.spans.push({ id, start, end: woven.text.length });
    woven.text += isStatement ? " else " : " : ";
  }
  woven.text += isStatement ? "{ " : "(";
  writeOriginal();
  woven.text += isStatement ? " } }" : "))";
}
