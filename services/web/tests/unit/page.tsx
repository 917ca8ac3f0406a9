import { render } from "preact";
import { expect, onTestFinished, vi } from "vitest";
import { App } from "../../src/app";
import { ContractedPlatform } from "./platform";

const NOW = Date.parse("2026-03-01T12:00:00Z");

/** A platform that has no answers yet; the page and its session are gone after the test. */
export function newPlatform(): ContractedPlatform {
  onTestFinished(() => {
    close();
    sessionStorage.clear();
  });
  return new ContractedPlatform();
}

export function open(platform: ContractedPlatform): void {
  render(<App fetch={platform.fetch} storage={sessionStorage} now={() => NOW} />, document.body);
}

export function close(): void {
  render(null, document.body);
}

export function field(name: string, within = "form"): HTMLInputElement {
  return document.querySelector(`${within} [name="${name}"]`) as HTMLInputElement;
}

export function button(label: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll("button")].find((each) => each.textContent === label);
}

export function press(label: string): void {
  button(label)?.click();
}

/** Waits until `check` passes. A busy machine may take its time; a quick one does not wait. */
export async function eventually(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 5 });
}

/** Waits until `text` stands on the page. */
export async function shows(text: string): Promise<void> {
  await eventually(() => expect(document.body.textContent).toContain(text));
}

/** Types a name and a password and presses the button. */
export function sendCredentials(): void {
  field("name").value = "ada@example.org";
  field("password").value = "secret";
  press("Sign in");
}

/** Opens the page and signs in. */
export async function signIn(platform: ContractedPlatform): Promise<void> {
  open(platform);
  sendCredentials();
  await shows("Sign out");
}
