// The way to the server: what a person does goes by POST, what changes comes by WebSocket.

const PATIENCE = [200, 500, 1000, 2000, 4000];

export function notice(words, kind = "problem") {
  const place = document.getElementById("notice");
  place.textContent = words;
  place.dataset.kind = kind;
  place.dataset.shown = "yes";
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => delete place.dataset.shown, 6000);
}

export async function tell(deed, sent) {
  const url = `/as/${document.body.dataset.viewer}/do/${deed}`;
  try {
    const answer = await fetch(url, { method: "POST", body: JSON.stringify(sent) });
    if (answer.ok) return await answer.json();
    const problem = answer.status === 409 ? (await answer.json()).problem : await answer.text();
    notice(problem);
    return { problem };
  } catch {
    notice("The playground does not answer. Is it still running?");
    return { problem: "unreachable" };
  }
}

let socket = null;
let tries = 0;

export function listen(apply) {
  if (socket) socket.onclose = null;
  socket?.close();
  const { viewer, at } = document.body.dataset;
  const mine = new WebSocket(`ws://${location.host}/as/${viewer}/live?at=${encodeURIComponent(at)}`);
  socket = mine;
  mine.onmessage = (event) => {
    if (socket !== mine) return;
    tries = 0;
    document.getElementById("offline").hidden = true;
    apply(JSON.parse(event.data));
    document.body.dataset.live = at;
  };
  mine.onclose = () => {
    if (socket !== mine) return;
    delete document.body.dataset.live;
    document.getElementById("offline").hidden = false;
    setTimeout(() => listen(apply), PATIENCE[Math.min(tries++, PATIENCE.length - 1)]);
  };
}
