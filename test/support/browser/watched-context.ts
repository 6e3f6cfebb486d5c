/** A fresh profile of the browser (no storage, no cookies), which notes everything that no page of ours may do. */
import { join } from "node:path";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  ConsoleMessage,
  Page,
} from "playwright-core";

/** Whoever wants the traces of Playwright names a folder for them; recording them takes time. */
const TRACES = process.env["OMNIA_BROWSER_TRACES"];
const LOOPBACK = /^(localhost|[\w.-]+\.localhost|127\.0\.0\.1|\[::1\])$/;
/** Schemes of requests that go to a machine. The others, such as `data:` and `blob:`, stay within the page. */
const TO_A_MACHINE = /^(https?|wss?|ftp):$/;

export interface PageOptions extends BrowserContextOptions {
  /** Problems that the test brings about on purpose, such as the browser's own note on an answer 503. */
  expected?: readonly RegExp[] | undefined;
}

export class WatchedContext {
  readonly #context: BrowserContext;
  readonly #expected: readonly RegExp[];
  readonly #problems: string[] = [];

  /** The window has 1280 by 800 pixels and light colours, unless the options say otherwise. */
  static async open(
    browser: Browser,
    { expected = [], ...options }: PageOptions = {},
  ): Promise<WatchedContext> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: "light",
      locale: "en-GB",
      timezoneId: "UTC",
      ...options,
    });
    if (TRACES !== undefined) await context.tracing.start({ snapshots: true, screenshots: true });
    return new WatchedContext(context, expected);
  }

  private constructor(context: BrowserContext, expected: readonly RegExp[]) {
    this.#context = context;
    this.#expected = expected;
    context.on("weberror", (error) => this.#note(`an error of the page: ${String(error.error())}`));
    context.on("console", (message) => this.#noteMessage(message));
    context.on("request", (request) => this.#noteRequest(request.url()));
    context.on("page", (page) => this.#watch(page));
  }

  /** Errors of pages, what they wrote to the console as errors, what their policy forbade, dialogs, requests to other machines. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  async openPage(): Promise<Page> {
    const page = await this.#context.newPage();
    const session = await this.#context.newCDPSession(page);
    session.on("Audits.issueAdded", ({ issue }) => {
      const violation = issue.details.contentSecurityPolicyIssueDetails;
      if (violation === undefined) return;
      const { violatedDirective, blockedURL, contentSecurityPolicyViolationType } = violation;
      const what = blockedURL ?? contentSecurityPolicyViolationType;
      this.#note(`the page's policy forbade (${violatedDirective}): ${what}`);
    });
    await session.send("Audits.enable");
    return page;
  }

  async close(name: string): Promise<void> {
    if (TRACES !== undefined) {
      const file = `${name.replaceAll(/[^\w-]+/g, "-").slice(0, 150)}.zip`;
      await this.#context.tracing.stop({ path: join(TRACES, file) });
    }
    await this.#context.close();
  }

  #watch(page: Page): void {
    page.on("dialog", (dialog) => {
      this.#note(`a dialog opened: ${dialog.message()}`);
      // It may be gone with its page.
      dialog.dismiss().catch(() => undefined);
    });
    page.on("crash", () => this.#note("the page crashed"));
    page.on("websocket", (socket) => this.#noteRequest(socket.url()));
  }

  #noteMessage(message: ConsoleMessage): void {
    if (message.type() !== "error") return;
    this.#note(`an error in the console: ${message.text()} (${message.location().url})`);
  }

  #noteRequest(address: string): void {
    const url = new URL(address);
    if (TO_A_MACHINE.test(url.protocol) && !LOOPBACK.test(url.hostname)) {
      this.#note(`a request to another machine: ${address}`);
    }
  }

  #note(problem: string): void {
    if (!this.#expected.some((pattern) => pattern.test(problem))) this.#problems.push(problem);
  }
}
