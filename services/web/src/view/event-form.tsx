import { useRef, useState } from "preact/hooks";
import { newKey, type StoredEvent } from "../api/events";
import { ApiFailure } from "../api/failure";
import { DataFault, type DraftFields, draftOf, isSame } from "../draft";
import type { Services } from "../services";
import { FailureNote } from "./failure-note";

interface Properties {
  readonly services: Services;
  readonly onSent: (event: StoredEvent) => void;
  readonly onFailure: (failure: ApiFailure) => void;
}

function fieldsOf(element: HTMLFormElement): DraftFields {
  const form = new FormData(element);
  return {
    type: String(form.get("type")),
    version: String(form.get("version")),
    source: String(form.get("source")),
    data: String(form.get("data")),
  };
}

function asFailure(fault: unknown): ApiFailure {
  if (fault instanceof ApiFailure) return fault;
  if (fault instanceof DataFault) return new ApiFailure("invalid", fault.message);
  throw fault;
}

/** Sends one event. Sending the same again after a failure uses the same key. */
export function EventForm({ services, onSent, onFailure }: Properties) {
  const [failure, setFailure] = useState<ApiFailure | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [sent, setSent] = useState("");
  const attempt = useRef<{ fields: DraftFields; key: string; at: Date } | null>(null);

  async function submit(event: SubmitEvent & { currentTarget: HTMLFormElement }) {
    event.preventDefault();
    const element = event.currentTarget;
    const fields = fieldsOf(element);
    if (attempt.current === null || !isSame(attempt.current.fields, fields)) {
      attempt.current = { fields, key: newKey(), at: new Date() };
    }
    setBusy(true);
    setFailure(null);
    setSent("");
    try {
      const stored = await services.send(draftOf(fields, attempt.current.key, attempt.current.at));
      attempt.current = null;
      element.reset();
      setSent(`Sent ${stored.type}.`);
      onSent(stored);
    } catch (fault) {
      const failed = asFailure(fault);
      setFailure(failed);
      onFailure(failed);
    }
    setBusy(false);
  }

  return (
    <form class="card" onSubmit={submit} aria-labelledby="send-title">
      <h2 id="send-title">Send an event</h2>
      <div class="row">
        <label>
          Type
          <input name="type" autocapitalize="none" placeholder="page.viewed" required />
        </label>
        <label>
          Version
          <input name="version" type="number" min={1} max={999} value={1} required />
        </label>
        <label>
          Source
          <input name="source" autocapitalize="none" placeholder="shop" required />
        </label>
      </div>
      <label>
        Data, as a JSON object
        <textarea
          name="data"
          rows={4}
          spellcheck={false}
          placeholder='{"path": "/pricing", "visitor_id": "v-1"}'
        />
      </label>
      <FailureNote failure={failure} />
      <div class="row">
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? "Sending…" : "Send"}
        </button>
        <p role="status">{sent}</p>
      </div>
    </form>
  );
}
