// Asks for an access token where one is needed.

import { byId } from "./dom.js";
import { setToken } from "./stream.js";

export function askForToken() {
  if (!byId("login").open) byId("login").showModal();
}

export function onToken(begin) {
  byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(byId("token").value);
    byId("login").close();
    begin();
  });
}
