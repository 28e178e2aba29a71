/** Anything that a call may fail with, as the plain sentences people read. */
import { ORPCError } from '@orpc/client'
import { engineText } from '../../shared/messages/engine-text.ts'
import { t } from '../../shared/messages/messages.ts'
import { type ErrorData, isAppError } from '../../shared/errors.ts'

/** The connection broke under a call: whether it took effect is not known, so it may be asked again. */
export class DisconnectedError extends Error {
  constructor() {
    super(t('The engine does not answer.'))
    this.name = 'DisconnectedError'
  }
}

export function isDisconnected(error: unknown): boolean {
  return error instanceof DisconnectedError
}

export function errorData(error: unknown): ErrorData {
  if (isDisconnected(error)) {
    return { code: 'busy', message: t('The engine does not answer.'), cure: t('It is being reached again. What was shown as saved is safe.') }
  }
  if (isAppError(error)) return { code: error.code, message: engineText(error.message), cure: engineText(error.cure), ...(error.place ? { place: error.place } : {}) }
  if (error instanceof ORPCError) {
    const data: unknown = error.data
    if (data && typeof data === 'object' && 'message' in data && 'code' in data) {
      const known = data as Partial<ErrorData>
      return { code: known.code ?? 'internal', message: engineText(String(known.message)), cure: engineText(String(known.cure ?? '')), ...(known.place ? { place: known.place } : {}) }
    }
    return { code: 'internal', message: error.message, cure: t('This is a fault of the program. The log has the details.') }
  }
  return { code: 'internal', message: engineText(error instanceof Error ? error.message : String(error)), cure: t('This is a fault of the program. The log has the details.') }
}
