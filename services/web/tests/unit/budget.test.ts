// @vitest-environment node
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";

let directory: string;

function check(limits: { js: number; total: number }) {
  const budget = join(directory, "budget.json");
  writeFileSync(budget, JSON.stringify({ files: { "*.js": limits.js }, total: limits.total }));
  const script = ["scripts/check-budget.mjs", join(directory, "dist"), budget];
  const { status, stdout, stderr } = spawnSync(process.execPath, script, { encoding: "utf8" });
  return { status, said: stdout + stderr };
}

describe("the bundle-size budget", () => {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "budget-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, "dist/assets"), { recursive: true });
  });

  // Random bytes do not compress, so the size after gzip is a little more than this.
  function built(name: string, bytes: number): void {
    writeFileSync(join(directory, "dist", name), randomBytes(bytes));
  }

  test("is met when every sum is within its limit", () => {
    built("assets/a.js", 1000);
    built("index.html", 500);

    expect(check({ js: 1100, total: 1700 })).toMatchObject({ status: 0 });
  });

  test("fails with the numbers when files of one ending are too large together", () => {
    built("assets/a.js", 600);
    built("assets/b.js", 600);

    const { status, said } = check({ js: 1000, total: 5000 });

    expect(status).toBe(1);
    expect(said).toMatch(/budget \*\.js: 12\d\d of 1000 bytes after gzip, OVER by 2\d\d/);
    expect(said).toMatch(/budget total: 12\d\d of 5000 bytes after gzip, ok/);
  });

  test("fails when other files make the whole too large", () => {
    built("assets/a.js", 100);
    built("assets/photo.png", 900);

    expect(check({ js: 1000, total: 500 })).toMatchObject({ status: 1 });
  });

  test("does not pass when nothing was built", () => {
    expect(check({ js: 1, total: 1 })).toMatchObject({ status: 2 });
  });
});
