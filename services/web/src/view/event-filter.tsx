import type { EventFilter } from "../api/events";

interface Properties {
  readonly onChange: (filter: EventFilter) => void;
}

export const EVERYTHING: EventFilter = { type: "", source: "" };

/** Asks what to list. It is applied on submit: each key press would be a request. */
export function EventFilterForm({ onChange }: Properties) {
  function submit(event: SubmitEvent & { currentTarget: HTMLFormElement }) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onChange({ type: String(form.get("type")).trim(), source: String(form.get("source")).trim() });
  }

  return (
    <search>
      <form
        class="row"
        onSubmit={submit}
        onReset={() => onChange(EVERYTHING)}
        aria-label="Filter events"
      >
        <label>
          Type
          <input name="type" autocapitalize="none" placeholder="any" />
        </label>
        <label>
          Source
          <input name="source" autocapitalize="none" placeholder="any" />
        </label>
        <button type="submit">Filter</button>
        <button type="reset">Clear</button>
      </form>
    </search>
  );
}
