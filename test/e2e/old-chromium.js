/**
 * What Chromium 83 (the Electron that these tests can have) lacks and the page uses. Users get the Electron of package.json,
 * which has all of it, so this lives with the tests alone.
 */
;(() => {
  const define = (target, name, value) => {
    if (target && !(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  function at(index) {
    const i = Math.trunc(index) || 0
    return this[i < 0 ? this.length + i : i]
  }
  for (const type of [Array, String, Object.getPrototypeOf(Int8Array)]) define(type.prototype, 'at', at)
  define(Array.prototype, 'findLast', function (test, self) {
    for (let i = this.length - 1; i >= 0; i--) if (test.call(self, this[i], i, this)) return this[i]
  })
  define(Array.prototype, 'findLastIndex', function (test, self) {
    for (let i = this.length - 1; i >= 0; i--) if (test.call(self, this[i], i, this)) return i
    return -1
  })
  define(Array.prototype, 'toSorted', function (compare) { return this.slice().sort(compare) })
  define(Array.prototype, 'toReversed', function () { return this.slice().reverse() })
  define(Array.prototype, 'with', function (i, value) { const copy = this.slice(); copy[i < 0 ? copy.length + i : i] = value; return copy })
  define(String.prototype, 'replaceAll', function (search, by) {
    return search instanceof RegExp ? this.replace(search, by) : this.split(search).join(by)
  })
  define(Object, 'hasOwn', (object, key) => Object.prototype.hasOwnProperty.call(object, key))
  define(Object, 'groupBy', (items, keyOf) => { const groups = Object.create(null); let i = 0; for (const item of items) (groups[keyOf(item, i++)] = groups[keyOf(item, i - 1)] || []).push(item); return groups })
  define(Promise, 'withResolvers', function () {
    const result = {}
    result.promise = new this((resolve, reject) => Object.assign(result, { resolve, reject }))
    return result
  })
  define(Promise, 'any', (promises) => new Promise((resolve, reject) => {
    const errors = []
    let left = 0
    for (const promise of promises) { left++; Promise.resolve(promise).then(resolve, (error) => { errors.push(error); if (--left === 0) reject(Object.assign(new Error('All promises were rejected'), { errors })) }) }
  }))
  define(globalThis, 'AggregateError', class AggregateError extends Error { constructor(errors, message) { super(message); this.errors = [...errors] } })
  define(globalThis, 'WeakRef', class WeakRef { constructor(target) { this.target = target } deref() { return this.target } })
  define(globalThis, 'FinalizationRegistry', class FinalizationRegistry { register() {} unregister() {} })
  const clone = (value, seen = new Map()) => {
    if (typeof value !== 'object' || value === null) return value
    if (seen.has(value)) return seen.get(value)
    if (value instanceof Date) return new Date(value)
    if (ArrayBuffer.isView(value)) return value.slice ? value.slice() : value
    if (value instanceof Map) { const copy = new Map(); seen.set(value, copy); for (const [k, v] of value) copy.set(clone(k, seen), clone(v, seen)); return copy }
    if (value instanceof Set) { const copy = new Set(); seen.set(value, copy); for (const v of value) copy.add(clone(v, seen)); return copy }
    const copy = Array.isArray(value) ? [] : {}
    seen.set(value, copy)
    for (const key of Object.keys(value)) copy[key] = clone(value[key], seen)
    return copy
  }
  define(globalThis, 'structuredClone', (value) => clone(value))
  if (typeof crypto !== 'undefined') {
    define(crypto, 'randomUUID', () => {
      const b = crypto.getRandomValues(new Uint8Array(16))
      b[6] = (b[6] & 15) | 64
      b[8] = (b[8] & 63) | 128
      const hex = Array.from(b, (v) => v.toString(16).padStart(2, '0')).join('')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    })
  }
  for (const name of ['dispose', 'asyncDispose']) define(Symbol, name, Symbol(`Symbol.${name}`))
  if (typeof AbortController !== 'undefined' && !('reason' in AbortSignal.prototype)) {
    const reasons = new WeakMap()
    const abort = AbortController.prototype.abort
    AbortController.prototype.abort = function (reason) {
      if (!reasons.has(this.signal)) reasons.set(this.signal, reason === undefined ? new DOMException('The operation was aborted.', 'AbortError') : reason)
      abort.call(this)
    }
    Object.defineProperty(AbortSignal.prototype, 'reason', { configurable: true, get() { return reasons.get(this) } })
    define(AbortSignal.prototype, 'throwIfAborted', function () { if (this.aborted) throw this.reason })
    define(AbortSignal, 'any', (signals) => {
      const controller = new AbortController()
      for (const signal of signals) {
        if (signal.aborted) controller.abort(signal.reason)
        else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
      }
      return controller.signal
    })
    define(AbortSignal, 'timeout', (ms) => { const controller = new AbortController(); setTimeout(() => controller.abort(new DOMException('It took too long.', 'TimeoutError')), ms); return controller.signal })
  }
  if (typeof Element !== 'undefined') {
    define(Element.prototype, 'replaceChildren', function (...nodes) { this.textContent = ''; this.append(...nodes) })
    define(Element.prototype, 'checkVisibility', function () { return this.getClientRects().length > 0 })
    if (!('inert' in HTMLElement.prototype)) Object.defineProperty(HTMLElement.prototype, 'inert', { configurable: true, get() { return this.hasAttribute('inert') }, set(on) { this.toggleAttribute('inert', Boolean(on)) } })
  }
  if (typeof URL !== 'undefined') define(URL, 'canParse', (url, base) => { try { return Boolean(new URL(url, base)) } catch { return false } })
})()
