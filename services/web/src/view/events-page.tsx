import { useState } from "preact/hooks";
import type { EventFilter } from "../api/events";
import type { ApiFailure } from "../api/failure";
import type { Services } from "../services";
import { EVERYTHING, EventFilterForm } from "./event-filter";
import { EventForm } from "./event-form";
import { EventList } from "./event-list";
import { usePageList } from "./page-list";

interface Properties {
  readonly services: Services;
  readonly onFailure: (failure: ApiFailure) => void;
}

export function EventsPage({ services, onFailure }: Properties) {
  const [filter, setFilter] = useState<EventFilter>(EVERYTHING);
  const list = usePageList(services, filter, onFailure);

  return (
    <>
      <EventForm services={services} onSent={list.reload} onFailure={onFailure} />
      <section class="card" aria-labelledby="events-title">
        <h2 id="events-title">Events</h2>
        <EventFilterForm onChange={setFilter} />
        <EventList list={list} />
      </section>
    </>
  );
}
