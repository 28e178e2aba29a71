import { AppError, isAppError } from '../../shared/errors.ts'

/** What only the command line can offer where a file is in the way; the same refusal on the page must not speak of it. */
export async function orReplace<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isAppError(error) && error.code === 'bad-input' && error.message.endsWith(' exists already. Nothing was written.')) {
      throw new AppError(error.code, error.message, 'Choose another name, or overwrite it with --replace.', error.place, { cause: error })
    }
    throw error
  }
}
