import { defineConfig } from "vitest/config";

const identity = process.env.IDENTITY_URL ?? "http://127.0.0.1:8001";
const api = process.env.API_URL ?? "http://127.0.0.1:8000";

/** Proxy one path prefix to a service, as the ingress does in a cluster. */
function proxied(prefix, target) {
  return { [prefix]: { target, rewrite: (path) => path.slice(prefix.length) } };
}

// Meta elements cannot say frame-ancestors; the server that holds the page adds that header.
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Writes the content policy into the built page; the development server needs inline styles. */
function contentPolicy() {
  const attrs = { "http-equiv": "Content-Security-Policy", content: CONTENT_POLICY };
  return {
    name: "content-policy",
    apply: "build",
    transformIndexHtml: () => [{ tag: "meta", attrs, injectTo: "head-prepend" }],
  };
}

export default defineConfig({
  plugins: [contentPolicy()],
  // node_modules may be a link into a read-only store, so nothing is cached in it.
  cacheDir: ".cache/vite",
  base: "./",
  build: {
    target: "es2022",
    sourcemap: false,
    // Above any file of the page: a data: address would need a weaker content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { ...proxied("/api", api), ...proxied("/identity", identity) } },
  test: {
    environment: "happy-dom",
    include: ["tests/unit/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
