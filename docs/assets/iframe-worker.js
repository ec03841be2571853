// Search runs in a worker. Browsers start none for pages that are files on disk: there a hidden frame does its work.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      const waiting = [];
      this.postMessage = (data) => waiting.push(data);
      frame.srcdoc = "<!doctype html><title>search</title>";
      frame.addEventListener("load", () => {
        const inside = frame.contentWindow;
        const listeners = [];
        inside.postMessage = (data) => {
          const event = new MessageEvent("message", { data });
          this.dispatchEvent(event);
          if (this.onmessage) this.onmessage(event);
        };
        inside.addEventListener = (kind, listener) => kind === "message" && listeners.push(listener);
        inside.importScripts = (...urls) => urls.reduce((before, next) => before.then(() => load(next)), Promise.resolve());
        const load = (source) => new Promise((done, failed) => {
          const script = inside.document.createElement("script");
          script.src = source;
          script.onload = done;
          script.onerror = failed;
          inside.document.body.appendChild(script);
        });
        load(url).then(() => {
          this.postMessage = (data) => {
            const event = new MessageEvent("message", { data });
            listeners.forEach((listener) => listener(event));
            if (inside.onmessage) inside.onmessage(event);
          };
          waiting.splice(0).forEach((data) => this.postMessage(data)); // nothing is lost that came before
        });
      }, { once: true });
      document.body.appendChild(frame);
    }
    terminate() {}
  };
}
