// Opens report pages in headless Chromium, prints what axe-core finds and stores screenshots.
//
//   npm install --no-save --prefix DIR playwright-core@1.65.1 axe-core@4.14.1
//   NODE_PATH=DIR/node_modules node bench/report-a11y/run.mjs [--shots DIR] REPORT.html...
//
// CHROMIUM names the browser (default /usr/bin/chromium). Leaves with 1 when a violation is found, a page asks for
// anything over the network, a page is wider than the screen, or the browser reports an error.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const load = createRequire(import.meta.url);
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core"), "utf8");

const screens = [
  { name: "desktop", width: 1280, height: 900 },
  { name: "phone", width: 390, height: 844 },
  { name: "narrow", width: 360, height: 740 },
];
const files = process.argv.slice(2);
let shots = "";
if (files[0] === "--shots") {
  shots = resolve(files[1]);
  files.splice(0, 2);
  mkdirSync(shots, { recursive: true });
}
if (files.length === 0) {
  console.error("usage: node run.mjs [--shots DIR] REPORT.html...");
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let failures = 0;
function fail(where, what) {
  failures++;
  console.log(`FAIL ${where}: ${what}`);
}

for (const file of files) {
  const url = pathToFileURL(resolve(file)).href;
  for (const screen of screens) {
    for (const scheme of ["light", "dark"]) {
      const where = `${basename(file, ".html")}-${screen.name}-${scheme}`;
      // The page's own content policy would forbid axe; what it forbids the page is checked through the requests.
      const context = await browser.newContext({ viewport: screen, colorScheme: scheme, bypassCSP: true });
      const page = await context.newPage();
      page.on("request", (request) => request.url() !== url && fail(where, `asks for ${request.url()}`));
      page.on("console", (message) => message.type() === "error" && fail(where, message.text()));
      page.on("pageerror", (error) => fail(where, String(error)));
      await page.goto(url);
      const scripts = await page.locator("script").count();
      if (scripts > 0) fail(where, `has ${scripts} script elements`);
      if (shots) await page.screenshot({ path: join(shots, `${where}.png`), fullPage: true });
      // What is folded away is read, too.
      await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
      if (shots) await page.screenshot({ path: join(shots, `${where}-open.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) fail(where, `is ${wide} pixels wider than the screen`);
      await page.evaluate(axe);
      const { violations, passes, incomplete } = await page.evaluate(() => window.axe.run(document));
      for (const violation of violations) {
        fail(where, `${violation.impact} ${violation.id}: ${violation.help}`);
        for (const node of violation.nodes) console.log(`     ${node.html.slice(0, 160)}\n     ${node.failureSummary}`);
      }
      const open = incomplete.map((rule) => `${rule.id} (${rule.nodes.length})`).join(", ");
      console.log(`${where}: ${violations.length} violations, ${passes.length} rules passed${open && `, undecided: ${open}`}`);
      await context.close();
    }
  }
  if (shots) {
    const page = await browser.newPage();
    await page.goto(url);
    await page.pdf({ path: join(shots, `${basename(file, ".html")}.pdf`), format: "A4", printBackground: true });
    await page.close();
  }
}
await browser.close();
process.exit(failures === 0 ? 0 : 1);
