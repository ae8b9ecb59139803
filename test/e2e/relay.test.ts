/** A patient without ether, in a real browser: they sign, the gateway sends, and where no block comes they may send it themselves. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildApp } from "../../scripts/demo/build.ts";
import { personas } from "../../scripts/demo/personas.ts";
import { findChromium, launchBrowser } from "../browser.ts";
import { goOnMining, RELAYING, stopMining, transactionsOf } from "../gateway/relaying.ts";
import { SAMPLE_PATIENTS, World } from "../world.ts";
import {
  approve,
  askToRevoke,
  enrolPersonas,
  openShared,
  PERSONAS,
  share,
  signInAs,
  type Visitor,
  visit,
} from "./people.ts";

const missing = findChromium() ? "" : " (needs Chromium)";

/** What axe finds wrong within a dialog, by WCAG 2.2 AA. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(
      '[role="dialog"], dialog',
    );
    return violations.map(({ id }) => id);
  });
}

describe.skipIf(missing !== "")(`a patient whose gateway sends${missing}`, () => {
  let browser: Browser;
  let world: World;
  let patient: Visitor;
  let reader: Visitor;

  beforeAll(async () => {
    const [launched, appDir] = await Promise.all([launchBrowser(), buildApp("demo")]);
    browser = launched;
    const environment = {
      APP_DIR: appDir,
      DEMO_PERSONAS: JSON.stringify(personas()),
      RELAY_PATIENCE: "2",
      ...RELAYING,
    };
    world = await World.open({ environment });
    await enrolPersonas(world, SAMPLE_PATIENTS.brain);
    const { url } = world.gateway;
    [patient, reader] = await Promise.all([visit(browser, url), visit(browser, url)]);
    await signInAs(reader.page, PERSONAS.reader);
    await signInAs(patient.page, PERSONAS.patient);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("shares without ether, and shuts out before any block; may send it themselves, once", async () => {
    const { address } = world.people.patient;
    await world.provider.send("hardhat_setBalance", [address, "0x0"]);
    await share(patient.page, { with: PERSONAS.reader, download: true });
    expect(await transactionsOf(world)).toBe(1);
    await openShared(reader.page);

    await stopMining(world);
    await askToRevoke(patient.page, PERSONAS.reader);
    await approve(patient.page);
    await reader.page.locator('[data-reason="revoked"]').waitFor();
    const dialog = patient.page.getByRole("dialog", { name: `Revoke access of ${PERSONAS.reader}?` });
    const sendIt = dialog.getByRole("button", { name: "Send it myself" });
    await sendIt.waitFor();
    expect(await faultsOf(patient.page)).toEqual([]);

    await world.provider.send("hardhat_setBalance", [address, "0x8ac7230489e80000"]);
    await sendIt.click();
    await patient.page.getByRole("button", { name: "Reject" }).click();
    await sendIt.click();
    await approve(patient.page);
    await dialog.getByText("The network has it.").waitFor();
    await goOnMining(world);
    await dialog.getByText(`${PERSONAS.reader} can no longer see it.`).waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    expect(await world.provider.getTransactionCount(address)).toBe(1);
    expect([...patient.complaints, ...reader.complaints]).toEqual([]);
  });
});
