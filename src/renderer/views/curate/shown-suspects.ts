/** Whose reasons were on screen, and by which checkpoint: what is done with such a region teaches which reasons are right. */
const shown = new Map<string, string>()
const REMEMBERED = 200

/** @param checkpointId null when the region was shown without reasons */
export function showSuspect(regionId: string, checkpointId: string | null): void {
  shown.delete(regionId)
  if (checkpointId !== null) shown.set(regionId, checkpointId)
  if (shown.size > REMEMBERED) shown.delete(shown.keys().next().value!)
}

/** The suspect that an edit answers: the first of its regions whose reasons were shown. */
export function suspectOf(edits: readonly { readonly regionId: string }[]): { readonly regionId: string; readonly checkpointId: string } | undefined {
  for (const { regionId } of edits) {
    const checkpointId = shown.get(regionId)
    if (checkpointId !== undefined) return { regionId, checkpointId }
  }
  return undefined
}
