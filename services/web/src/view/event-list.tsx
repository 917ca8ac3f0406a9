import type { StoredEvent } from "../api/events";
import { FailureNote } from "./failure-note";
import type { PageList } from "./page-list";

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function Row({ event }: { readonly event: StoredEvent }) {
  return (
    <tr>
      <th scope="row" data-label="Type">
        {event.type} <span class="quiet">{event.version}</span>
      </th>
      <td data-label="Source">{event.source}</td>
      <td data-label="Occurred">
        <time dateTime={event.occurredAt.toISOString()}>{TIME.format(event.occurredAt)}</time>
      </td>
      <td data-label="Data">
        <code>{JSON.stringify(event.data)}</code>
      </td>
    </tr>
  );
}

function told(list: PageList): string {
  if (list.isLoading) return "Loading events…";
  if (list.failure !== null) return "";
  const shown = list.events.length;
  if (shown === 0) return "No events match.";
  return `${shown} ${shown === 1 ? "event" : "events"} shown${list.hasOlder ? "" : ", all there are"}.`;
}

/** The events as a table, which a narrow screen shows as a stack of cards. */
export function EventList({ list }: { readonly list: PageList }) {
  return (
    <>
      <p role="status" class="quiet">
        {told(list)}
      </p>
      {list.events.length > 0 && (
        <table aria-busy={list.isLoading}>
          <caption class="hidden">Events, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">Source</th>
              <th scope="col">Occurred</th>
              <th scope="col">Data</th>
            </tr>
          </thead>
          <tbody>
            {list.events.map((event) => (
              <Row key={event.id} event={event} />
            ))}
          </tbody>
        </table>
      )}
      <FailureNote
        failure={list.failure}
        onRetry={list.events.length > 0 ? list.loadOlder : list.reload}
      />
      {list.hasOlder && list.failure === null && (
        <button type="button" onClick={list.loadOlder} disabled={list.isLoading}>
          Show older events
        </button>
      )}
    </>
  );
}
