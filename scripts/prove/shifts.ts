/**
 * SMTChecker counts in integers, and shifts them as bit vectors; z3 loses its way between the two. A shift or a mask by a
 * known number of bits is arithmetic, and said as such here. What is not known by its number stays an unknown function
 * of the same operands: whatever is proved holds for the real one too.
 */

/** The shifts and single-bit masks of `contracts/types/`. */
const BITS = [40, 80, 112, 128, 168, 176];

/** The widths that words are cut to. */
const WIDTHS = [16, 32, 40, 64, 88, 128];

const WORD = power(256);

function power(bits: number): string {
  return (1n << BigInt(bits)).toString();
}

/** A pattern for how SMTChecker turns the integer `name` into a bit vector. */
function vector(bits: string, name: string): string {
  const cast = (value: string) => String.raw`\(\(_ int2bv ${bits}\) ${value}\)`;
  const same = String.raw`\k<${name}>`;
  return String.raw`\(ite \(>= (?<${name}>[\w|.]+) 0\) ${cast(same)} \(bvneg ${cast(String.raw`\(- ${same}\)`)}\)\)`;
}

function cases(known: [condition: string, value: string][], otherwise: string): string {
  return known.reduceRight((rest, [condition, value]) => `(ite ${condition} ${value} ${rest})`, otherwise);
}

function define(name: string, known: [condition: string, value: string][]): string {
  return `(declare-fun ${name}-any (Int Int) Int)
(define-fun ${name} ((a Int) (b Int)) Int ${cases(known, `(${name}-any a b)`)})`;
}

const DEFINITIONS = [
  define(
    "shift-right",
    BITS.map((bits) => [`(= b ${bits})`, `(div (mod a ${WORD}) ${power(bits)})`]),
  ),
  define(
    "shift-left",
    BITS.map((bits) => [`(= b ${bits})`, `(mod (* a ${power(bits)}) ${WORD})`]),
  ),
  define(
    "bits-and",
    BITS.map((bits) => [`(= b ${power(bits)})`, `(* ${power(bits)} (mod (div a ${power(bits)}) 2))`]),
  ),
  // Where one ends below the bit that the other starts at, both add up.
  define(
    "bits-or",
    BITS.map((bits) => [`(and (= 0 (mod a ${power(bits)})) (<= 0 b) (< b ${power(bits)}))`, "(+ a b)"]),
  ),
].join("\n");

const OPERATIONS = { bvlshr: "shift-right", bvshl: "shift-left", bvand: "bits-and", bvor: "bits-or" };

/** The same query without bit vectors, as far as shifts, masks and conversions of unsigned words bring them in. */
export function withoutBitVectors(query: string): string {
  let rewritten = query;
  for (const [operation, name] of Object.entries(OPERATIONS)) {
    const pattern = String.raw`\(bv2nat \(${operation} ${vector("256", "a")} ${vector("256", "b")}\)\)`;
    rewritten = rewritten.replace(new RegExp(pattern, "g"), `(${name} $<a> $<b>)`);
  }
  for (const bits of WIDTHS) {
    const pattern = String.raw`\(bv2nat ${vector(String(bits), "a")}\)`;
    rewritten = rewritten.replace(new RegExp(pattern, "g"), `(mod $<a> ${power(bits)})`);
  }
  return rewritten.replace("(set-logic ALL)", `(set-logic ALL)\n${DEFINITIONS}`);
}
