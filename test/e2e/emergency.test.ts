/** Breaking the glass, as a radiologist does it in a real browser, and as the patient sees it. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildApp } from "../../scripts/demo/build.ts";
import { personas } from "../../scripts/demo/personas.ts";
import { findChromium, launchBrowser } from "../browser.ts";
import { nameBadge } from "../gateway/breakGlass.ts";
import { SAMPLE_PATIENTS, World } from "../world.ts";
import { approve, enrolPersonas, PERSONAS, signInAs, type Visitor, visit } from "./people.ts";

const missing = findChromium() ? "" : " (needs Chromium)";

/** What axe finds wrong with what is on the page, in the levels of WCAG 2.2 AA. */
async function faultsOn(page: Page, within: string): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async (selector) => {
    const { axe: inPage } = window as unknown as { axe: typeof axe };
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const { violations } = await inPage.run(selector, { runOnly });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }, within);
}

describe.skipIf(missing !== "")(`an emergency in the app${missing}`, () => {
  let browser: Browser;
  let world: World;
  let patient: Visitor;
  let reader: Visitor;
  let examId: string;

  beforeAll(async () => {
    const [launched, appDir] = await Promise.all([launchBrowser(), buildApp("demo")]);
    browser = launched;
    const environment = { APP_DIR: appDir, DEMO_PERSONAS: JSON.stringify(personas()) };
    world = await World.open({ environment });
    await enrolPersonas(world, SAMPLE_PATIENTS.brain);
    for (const { address, name, role, badge } of personas()) {
      if (!badge) continue;
      await world.admin("/practitioners", { address, name, role, badge: badge.address });
      await nameBadge(world, badge.address, true);
    }
    examId = (await world.examsOf("patient"))[0]?.examId ?? "";
    [patient, reader] = await Promise.all([
      visit(browser, world.gateway.url),
      visit(browser, world.gateway.url),
    ]);
    await signInAs(patient.page, PERSONAS.patient);
    await signInAs(reader.page, PERSONAS.reader);
  });
  afterAll(async () => {
    await world?.close();
    await browser?.close();
  });

  const badgeOf = (name: string) => personas().find((persona) => persona.name === name)?.badge?.address ?? "";

  it("is opened from the page that says no, with a reason, and shows that it is one", async () => {
    const { page } = reader;
    await page.goto(`${world.gateway.url}/read/${examId}`);
    await page.getByRole("heading", { name: "This exam is not open to you" }).waitFor();
    await page.getByRole("button", { name: "Open in an emergency" }).click();
    const dialog = page.getByRole("dialog", { name: "Open this exam in an emergency?" });
    await dialog.getByText("The patient will see that it was you.").waitFor();
    expect(await dialog.getByRole("button", { name: "Open it" }).isDisabled()).toBe(true);
    expect(await faultsOn(page, "dialog")).toEqual([]);
    await dialog.getByRole("radio", { name: "The patient does not respond" }).check();
    await dialog.getByRole("button", { name: "Open it" }).click();
    await approve(page);
    const question = page.getByRole("dialog", { name: "Sign in an emergency" });
    await question.getByText("the patient does not respond").first().waitFor();
    await approve(page);
    await page.waitForSelector('.rr-stage canvas[data-drawn="true"]');
    await page.getByText("The patient sees that you opened this.").waitFor();
    expect(await faultsOn(page, ".reading-room")).toEqual([]);
  });

  it("is shown to the patient by name, with why and until when, while it lasts", async () => {
    const { page } = patient;
    const notice = page.getByText(`${PERSONAS.reader} (Radiologist, Riverside Imaging) has opened this exam`);
    await notice.waitFor();
    await page.getByText(/because you did not respond\. They may see it until/).waitFor();
    expect(await faultsOn(page, "main")).toEqual([]);
  });

  it("needs a second practitioner's badge the next time within a day", async () => {
    const colleague = await visit(browser, world.gateway.url);
    const { page } = colleague;
    await signInAs(page, "Dr. Tomas Reyes");
    await page.goto(`${world.gateway.url}/read/${examId}`);
    await page.getByRole("button", { name: "Open in an emergency" }).click();
    const dialog = page.getByRole("dialog", { name: "Open this exam in an emergency?" });
    await dialog.getByRole("radio", { name: "The patient cannot decide" }).check();
    await dialog.getByRole("button", { name: "Open it" }).click();
    await approve(page);
    await approve(page);
    await dialog.getByLabel("Badge of a second practitioner").fill(badgeOf(PERSONAS.reader));
    expect(await faultsOn(page, "dialog")).toEqual([]);
    await dialog.getByRole("button", { name: "Open it" }).click();
    await approve(page);
    await approve(page);
    await page.waitForSelector('.rr-stage canvas[data-drawn="true"]');
    await patient.page.getByText(`${PERSONAS.reader} signed too.`).waitFor();
    expect([patient, reader, colleague].flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
