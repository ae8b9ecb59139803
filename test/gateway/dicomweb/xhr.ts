/** `XMLHttpRequest` over fetch, as far as dicomweb-client uses it: Node has none, and the client takes nothing else. */
export class FetchXmlHttpRequest {
  readyState = 0;
  status = 0;
  statusText = "";
  response: unknown = null;
  responseType = "";
  onloadstart: (() => void) | null = null;
  onload: (() => void) | null = null;
  onloadend: (() => void) | null = null;
  onreadystatechange: (() => void) | null = null;
  onprogress: (() => void) | null = null;
  onerror: (() => void) | null = null;
  #url = "";
  #method = "GET";
  #answer: Headers = new Headers();
  readonly #headers = new Headers();

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.append(name, value);
  }

  getResponseHeader(name: string): string | null {
    return this.#answer.get(name);
  }

  getAllResponseHeaders(): string {
    return [...this.#answer].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }

  addEventListener(): void {}

  send(): void {
    this.onloadstart?.();
    this.#send().catch(() => this.onerror?.());
  }

  async #send(): Promise<void> {
    const answer = await fetch(this.#url, { method: this.#method, headers: this.#headers });
    this.status = answer.status;
    this.statusText = answer.statusText;
    this.#answer = answer.headers;
    if (this.responseType === "json") this.response = await answer.json();
    else
      this.response = this.responseType === "arraybuffer" ? await answer.arrayBuffer() : await answer.text();
    this.readyState = 4;
    this.onreadystatechange?.();
    this.onload?.();
    this.onloadend?.();
  }
}
