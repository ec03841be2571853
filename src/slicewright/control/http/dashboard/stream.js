// The connection to the server: JSON requests with an optional token, and events that resume where they broke off.

let token = sessionStorage.getItem("slicewright-token") || "";

export class Unauthorized extends Error {}

export function setToken(value) {
  token = value;
  sessionStorage.setItem("slicewright-token", value);
}

async function request(path, headers = {}) {
  const all = token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
  const answer = await fetch(path, { headers: all });
  if (answer.status === 401 || answer.status === 403) throw new Unauthorized(path);
  return answer;
}

export async function getJson(path) {
  const answer = await request(path);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail || answer.statusText);
  return body;
}

// EventSource cannot send a token, so the stream is read by hand.
export async function follow(cursor, onEvent, onState) {
  for (;;) {
    try {
      const answer = await request(`/v1/events?after=${cursor}`);
      if (answer.status === 410) {
        cursor = (await getJson("/livez")).sequence;
        onState("gap");
        continue;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      onState("live");
      for await (const event of events(answer.body)) {
        if (event.id) cursor = event.id;
        try {
          onEvent(event.kind, event.data);
        } catch (error) {
          reportError(error); // a fault of the page, not of the connection
        }
      }
    } catch (error) {
      if (error instanceof Unauthorized) throw error;
    }
    onState("lost");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const fields = {};
      for (const line of text.slice(0, end).split("\n")) {
        const colon = line.indexOf(": ");
        if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
      }
      text = text.slice(end + 2);
      if (fields.event) yield { id: Number(fields.id), kind: fields.event, data: JSON.parse(fields.data) };
    }
  }
}
