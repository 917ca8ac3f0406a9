/**
 * Fails when what a visitor downloads has outgrown its budget.
 *
 * usage: check-budget.mjs DIRECTORY BUDGET.json
 *
 * `files` limits the sum of all files with an ending, `total` the sum of everything; all in bytes
 * after gzip, which is what travels. Exit codes: 0 within the budget, 1 over it, 2 nothing to check.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Every file below `directory` with its size after gzip, in bytes, by name. */
function measure(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, size: gzipSync(readFileSync(path), { level: 9 }).length }));
}

function sum(files) {
  return files.reduce((total, { size }) => total + size, 0);
}

/** Each limit of the budget with what is spent of it. */
function compare(files, budget) {
  const perEnding = Object.entries(budget.files).map(([pattern, limit]) => {
    const ending = pattern.slice(1);
    return { name: pattern, limit, spent: sum(files.filter(({ path }) => path.endsWith(ending))) };
  });
  return [...perEnding, { name: "total", limit: budget.total, spent: sum(files) }];
}

function main([directory, budgetFile]) {
  const files = measure(directory);
  if (files.length === 0) {
    process.stderr.write(`${directory} is empty: nothing was built\n`);
    return 2;
  }
  const limits = compare(files, JSON.parse(readFileSync(budgetFile, "utf8")));
  for (const { name, spent, limit } of limits) {
    const verdict = spent > limit ? `OVER by ${spent - limit}` : "ok";
    process.stdout.write(`budget ${name}: ${spent} of ${limit} bytes after gzip, ${verdict}\n`);
  }
  return limits.some(({ spent, limit }) => spent > limit) ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
