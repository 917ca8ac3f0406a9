import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { EventFilter, StoredEvent } from "../api/events";
import { ApiFailure } from "../api/failure";
import type { Services } from "../services";

/** The part of the list that is on the page, and how to get more of it. */
export interface PageList {
  readonly events: readonly StoredEvent[];
  readonly isLoading: boolean;
  readonly failure: ApiFailure | null;
  readonly hasOlder: boolean;
  /** Appends the next older page. */
  readonly loadOlder: () => void;
  /** Begins again with the newest events. */
  readonly reload: () => void;
}

interface Loaded {
  readonly events: readonly StoredEvent[];
  readonly next: string | null;
}

const NOTHING: Loaded = { events: [], next: null };

/**
 * Keeps the list for a filter, newest first.
 *
 * Keyset pagination: an older page begins where the last one ended, so events that arrive meanwhile
 * neither repeat nor hide one. An answer that a newer question has overtaken is dropped.
 */
export function usePageList(
  services: Services,
  filter: EventFilter,
  onFailure: (failure: ApiFailure) => void,
): PageList {
  const [loaded, setLoaded] = useState<Loaded>(NOTHING);
  const [isLoading, setLoading] = useState(true);
  const [failure, setFailure] = useState<ApiFailure | null>(null);
  const running = useRef<AbortController | null>(null);

  const load = useCallback(
    async (before: Loaded) => {
      running.current?.abort();
      const current = new AbortController();
      running.current = current;
      setLoading(true);
      setFailure(null);
      try {
        const page = await services.list(filter, before.next, current.signal);
        if (current.signal.aborted) return;
        setLoaded({ events: [...before.events, ...page.events], next: page.next });
      } catch (fault) {
        if (current.signal.aborted) return;
        if (!(fault instanceof ApiFailure)) throw fault;
        setFailure(fault);
        onFailure(fault);
      }
      setLoading(false);
    },
    [services, filter, onFailure],
  );

  useEffect(() => {
    void load(NOTHING);
    return () => running.current?.abort();
  }, [load]);

  return {
    events: loaded.events,
    isLoading,
    failure,
    hasOlder: loaded.next !== null,
    loadOlder: () => void load(loaded),
    reload: () => void load(NOTHING),
  };
}
