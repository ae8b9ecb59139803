/** What people do in the app, click by click, as the whole-story tests need it. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { World } from "../world.ts";

/** Names of the personas, as they are enrolled and shown. */
export const PERSONAS = { patient: "Nora Fairwind", reader: "Dr. Imani Vale" } as const;

/** One person at their own browser. */
export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** What the page complained of: uncaught errors, and what the content security policy stopped. */
  complaints: string[];
}

/** Open the app in a browser profile of its own. */
export async function visit(browser: Browser, url: string): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, context, complaints };
}

/** Come in as a persona: choose who, and sign in with the purpose that is ticked for them, or another one. */
export async function signInAs(page: Page, name: string, purpose?: string): Promise<void> {
  await page.getByRole("button", { name: new RegExp(name) }).click();
  if (purpose) await page.getByRole("radio", { name: purpose }).check();
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await approve(page);
  await page.getByRole("button", { name: /^Account: / }).waitFor();
}

/** Say yes to what the developer wallet asks. */
export async function approve(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Approve" }).click();
}

/** How an exam is to be shared; what is left out stays as the dialog proposes it. */
export interface Sharing {
  with: string;
  download?: boolean;
}

/** Share the only exam on *My exams*, up to where the gateway acts on it. */
export async function share(page: Page, sharing: Sharing): Promise<void> {
  await page.getByRole("link", { name: "My exams" }).click();
  await page.getByRole("button", { name: "Share", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Share this exam" });
  await dialog.getByRole("radio", { name: new RegExp(sharing.with) }).check();
  if (sharing.download) await dialog.getByRole("radio", { name: "Look and download" }).check();
  await dialog.getByRole("button", { name: "Review" }).click();
  await dialog.getByRole("button", { name: "Grant access" }).click();
  await approve(page);
  await dialog.getByText(`${sharing.with} can see it until`).waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
}

/** Start revoking somebody's access, up to the wallet's question; `approve` is then the act itself. */
export async function askToRevoke(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: `Revoke access of ${name}` }).click();
  await page
    .getByRole("dialog", { name: `Revoke access of ${name}?` })
    .getByRole("button", { name: "Revoke access" })
    .click();
  await page.getByRole("button", { name: "Approve" }).waitFor();
}

/** Open the only exam on *Shared with me* and wait until its first picture is on the canvas. */
export async function openShared(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Shared with me" }).click();
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.waitForSelector('.rr-stage canvas[data-drawn="true"]');
}

/** Enrol the personas in a world: the reader by name and role, the patient with the exams of a patient id. */
export async function enrolPersonas(world: World, patientId: string): Promise<void> {
  const { reader } = world.people;
  const answer = await world.admin("/practitioners", {
    address: reader.address,
    name: PERSONAS.reader,
    role: "Radiologist",
  });
  if (!answer.ok) throw new Error(`The reader could not be enrolled: ${await answer.text()}`);
  await world.enrol(patientId, "patient");
}
