/**
 * Mutants that no test can kill, because they do what the original does, with the reason. A reviewed list: whoever
 * adds to it says why nobody could tell the two apart.
 */
export interface Explained {
  file: string;
  /** The line of the file, trimmed. */
  line: string;
  from: string;
  to: string;
  why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: "contracts/AccessLog.sol",
    line: "if (position ^ 1 >= width) continue;",
    from: "position ^ 1 >= width",
    to: "((position ^ 1) == width)",
    why: "A position is below the width, so its neighbour is at most at it.",
  },
  {
    file: "contracts/AccessLog.sol",
    line: "if (used == proof.length) return false;",
    from: "used == proof.length",
    to: "(used >= proof.length)",
    why: "One more is used only where it was not yet the length, so it never passes it.",
  },
  {
    file: "contracts/AccessLog.sol",
    line: "return used == proof.length && node == kept.root;",
    from: "used == proof.length",
    to: "(used >= proof.length)",
    why: "No more is used than there is.",
  },
  {
    file: "contracts/ConsentLedger.sol",
    line: "bool stands = slot.holds(GrantSlotLib.granting(terms, 0)) && _isAlive(by.patient, slot.grantedAt());",
    from: "GrantSlotLib.granting(terms, 0)",
    to: "GrantSlotLib.granting(terms, 1)",
    why: "What a slot holds is compared without the time.",
  },
  {
    file: "contracts/ConsentLedger.sol",
    line: "GrantSlot act = GrantSlotLib.granting(terms, 0);",
    from: "GrantSlotLib.granting(terms, 0)",
    to: "GrantSlotLib.granting(terms, 1)",
    why: "What a slot holds is compared without the time.",
  },
  {
    file: "contracts/ConsentLedger.sol",
    line: "bool stands = slot.revokedAllAt() == block.timestamp;",
    from: "slot.revokedAllAt() == block.timestamp",
    to: "(slot.revokedAllAt() >= block.timestamp)",
    why: "It was stamped by this block or by one before, and a chain's time does not go back.",
  },
  {
    file: "contracts/libraries/Judgement.sol",
    line: "query.purpose <= type(uint32).max &&",
    from: "query.purpose <= type(uint32).max",
    to: "(query.purpose < type(uint32).max)",
    why: "The greatest value has 32 bits, and the line before lets pass what has one.",
  },
  {
    file: "contracts/libraries/Judgement.sol",
    line: "query.action <= type(uint16).max;",
    from: "query.action <= type(uint16).max",
    to: "(query.action < type(uint16).max)",
    why: "The greatest value has 16 bits, and the line before lets pass what has one.",
  },
  {
    file: "contracts/libraries/Judgement.sol",
    line: "if (slot.isRevoked() || slot.grantedAt() <= deadSince) return Reason.Revoked;",
    from: "slot.isRevoked()",
    to: "false",
    why: "A revoked slot was granted at zero, and no time is below that. The words are there for whoever reads.",
  },
  {
    file: "contracts/types/GrantSlot.sol",
    line: "uint256 private constant _REVOKED = 1 << 168;",
    from: "1 << 168",
    to: "2 << 168",
    why: "The flag has a byte to itself, and no one outside reads which of its bits it is.",
  },
  {
    file: "contracts/types/GrantSlot.sol",
    line: "uint256 private constant _REVOKED = 1 << 168;",
    from: "1 << 168",
    to: "1 << 169",
    why: "The flag has a byte to itself, and no one outside reads which of its bits it is.",
  },
  {
    file: "contracts/types/GrantSlot.sol",
    line: "return Terms.unwrap(terms(slot)) == Terms.unwrap(terms(act)) && isRevoked(slot) == isRevoked(act);",
    from: "isRevoked(slot) == isRevoked(act)",
    to: "true",
    why: "A slot without terms is revoked, or empty, and then its nonce is not one behind; a grant without terms does not stand.",
  },
];
