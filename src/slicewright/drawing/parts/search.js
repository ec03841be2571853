// A box to find a device, an access point or a node by its name: type, arrows, Enter.

import { html } from "./dom.js";

const MOST = 8;

// kinds: [{ kind, word, names }], names an array or a function of an index with a length given by `size`.
export class Search {
  constructor(host, onPick) {
    Object.assign(this, { onPick, kinds: [], found: [], at: 0 });
    this.input = html("input", {
      type: "search", placeholder: "Find a device, access point or node", "aria-label": "Find a device, access point or node",
      role: "combobox", "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off",
      spellcheck: "false",
    });
    this.list = html("ul", { id: "found", role: "listbox", "aria-label": "Found", hidden: "" });
    host.classList.add("search");
    host.append(this.input, this.list);
    this.input.addEventListener("input", () => this.look());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  setNames(kinds) {
    this.kinds = kinds;
  }

  look() {
    this.found = find(this.kinds, this.input.value);
    this.at = 0;
    this.show();
  }

  show() {
    this.list.hidden = !this.input.value.trim();
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    const entry = (hit, k) => {
      const item = html("li", { id: `found-${k}`, role: "option", "aria-selected": String(k === this.at) }, hit.name);
      item.append(html("small", {}, ` ${hit.word}`));
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.pick(hit);
      });
      return item;
    };
    const nothing = html("li", { class: "quiet" }, "nothing by that name");
    this.list.replaceChildren(...(this.found.length ? this.found.map(entry) : [nothing]));
    if (this.found.length) this.input.setAttribute("aria-activedescendant", `found-${this.at}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) {
      event.preventDefault();
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.show();
    } else if (event.key === "Enter" && this.found.length) {
      event.preventDefault();
      this.pick(this.found[this.at]);
    } else if (event.key === "Escape") this.close();
  }

  pick(hit) {
    this.input.value = hit.name;
    this.close();
    this.onPick(hit.kind, hit.index);
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
  }
}

// The same name first, then names that begin so, then names that hold it; at most eight.
export function find(kinds, text) {
  const asked = text.trim().toLowerCase();
  if (!asked) return [];
  const ranks = [[], [], []];
  for (const { kind, word, names, size } of kinds) {
    const total = size ?? names.length;
    const nameOf = typeof names === "function" ? names : (k) => names[k];
    for (let index = 0; index < total && ranks[0].length < MOST; index++) {
      const name = nameOf(index);
      const lower = name.toLowerCase();
      const from = lower.indexOf(asked);
      if (from < 0) continue;
      const rank = lower === asked || lower.endsWith(` ${asked}`) ? 0 : from === 0 ? 1 : 2;
      if (ranks[rank].length < MOST) ranks[rank].push({ kind, word, index, name });
    }
  }
  return ranks.flat().slice(0, MOST);
}
