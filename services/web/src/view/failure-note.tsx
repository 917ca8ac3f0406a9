import type { ApiFailure } from "../api/failure";

interface Properties {
  readonly failure: ApiFailure | null;
  readonly onRetry?: () => void;
}

/** Says what failed. The live region is always there: one added with its text is often not read. */
export function FailureNote({ failure, onRetry }: Properties) {
  return (
    <div role="alert" class="note">
      {failure !== null && (
        <div class="failure">
          <p>{failure.message}</p>
          {failure.fields.length > 0 && (
            <ul>
              {failure.fields.map(({ field, reason }) => (
                <li key={`${field} ${reason}`}>{field === "" ? reason : `${field}: ${reason}`}</li>
              ))}
            </ul>
          )}
          {onRetry !== undefined && (
            <button type="button" onClick={onRetry}>
              Try again
            </button>
          )}
        </div>
      )}
    </div>
  );
}
