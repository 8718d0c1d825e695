import { say } from './text'

// What the server says is wrong, with the names that may have been meant.
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly nearest: string[] = [],
  ) {
    super(message)
  }
}

async function send<T>(url: string, options: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(url, options)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(say('server_gone'), 0)
  }
  const body = await response.json().catch(() => null)
  if (response.ok && body !== null) return body as T
  const told = body?.error
  throw new ApiError(told?.message ?? say('server_odd'), response.status, told?.nearest ?? [])
}

export const get = <T>(url: string, signal?: AbortSignal): Promise<T> =>
  send<T>(url, signal ? { signal } : {})

// Ask until told to stop: what comes after that, answer or trouble, is nobody's any more.
export function follow<T>(
  url: string,
  then: (found: T) => void,
  fail: (problem: unknown) => void,
): () => void {
  const stop = new AbortController()
  get<T>(url, stop.signal)
    .then(then)
    .catch((problem) => {
      if (!stop.signal.aborted) fail(problem)
    })
  return () => stop.abort()
}

export const post = <T>(url: string, body: unknown): Promise<T> =>
  send<T>(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

export const postText = <T>(url: string, body: string | Blob): Promise<T> =>
  send<T>(url, { method: 'POST', headers: { 'content-type': 'text/csv' }, body })

export const postFile = <T>(url: string, data: ArrayBuffer): Promise<T> =>
  send<T>(url, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: data,
  })

export const remove = <T>(url: string): Promise<T> => send<T>(url, { method: 'DELETE' })
