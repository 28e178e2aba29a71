import { useMutation, useQueries, useQuery } from '@tanstack/react-query'
import { ChevronDown, ChevronRight, RotateCcw, SquarePen, X } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { settingWords } from '../../../shared/config/run-config.ts'
import type { Checkpoint, Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { useCommands } from '../../app/commands.ts'
import { count, parameters } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useSettled } from '../../state/use-settled.ts'
import { keys, useCheckpoints, useDatasets, usePresets } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Field, Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { PaneHead, Section } from '../../ui/Pane.tsx'
import { Select } from '../../ui/Select.tsx'
import { toast } from '../../ui/toast.tsx'
import { defaultCheckpoint } from '../curate/default-checkpoint.ts'
import { Changed, isNothingNew, useChangedSince } from './Changed.tsx'
import { Differences } from './Differences.tsx'
import { Estimate } from './Estimate.tsx'
import { type Draft, draftFromConfig, resolveDraft, resolveSweep, type SweepDraft } from './form.ts'
import { Measure } from './Measure.tsx'
import { SettingField } from './SettingField.tsx'
import { Sweep } from './Sweep.tsx'
import { ownName } from './states.ts'
import styles from './train.module.css'

const SCRATCH = 'scratch'

/** The form of the next run, what it will need, and below it the queue (children). */
export function NextRun({ copied, onCopy, runs, startId, datasetId, changed, onOpen, onClose, onAdded, children }: {
  copied: { readonly run: Run; readonly asked: number } | null; onCopy: (run: Run) => void; runs: readonly Run[]; startId: string | null; datasetId: string | null; changed: boolean; onOpen: () => void; onClose: () => void; onAdded: (run: Run) => void; children: ReactNode
}) {
  const presets = usePresets()
  const datasets = useDatasets()
  const checkpoints = useCheckpoints()
  const [presetName, setPresetName] = useState<string | null>(null)
  const [draft, setDraft] = useState<Draft>({})
  const [data, setData] = useState<string | null>(datasetId)
  const [start, setStart] = useState<string>(startId ?? SCRATCH)
  const [name, setName] = useState('')
  const [advanced, setAdvanced] = useState(false)
  const [measured, setMeasured] = useState<number | null>(null)
  const [swept, setSwept] = useState<readonly SweepDraft[]>([])
  /** A run on what was corrected is asked for; 'anyway' where there is nothing new and it is wanted all the same. */
  const [demanded, setDemanded] = useState<false | 'news' | 'anyway'>(false)
  useEffect(() => setData((old) => datasetId ?? old), [datasetId])
  useEffect(() => setStart((old) => startId ?? old), [startId])

  const preset = presets.data?.find((entry) => entry.name === presetName) ?? presets.data?.[0] ?? null
  const settings = useMemo(() => (preset?.settings ?? []).map((setting) => ({ ...setting, ...settingWords(setting.key) })), [preset])
  const { overrides, errors } = useMemo(() => resolveDraft(settings, draft), [settings, draft])
  const { options: dataOptions, ready: dataReady } = useDataOptions()
  // A dataset with a val split can tell the best checkpoint; one without is chosen on purpose.
  const chosenData = data ?? datasets.data?.find((dataset) => dataset.splits.val)?.id ?? dataOptions[0]?.value ?? null
  const [datasetOf, viewOf] = (chosenData ?? '').split('/', 2)
  const input = preset && datasetOf ? {
    preset: preset.name, overrides, datasetId: datasetOf, ...(viewOf ? { viewId: viewOf } : {}), ...(start === SCRATCH ? {} : { startCheckpointId: start }), ...(name.trim() ? { name: name.trim() } : {}),
  } : null
  const news = useChangedSince(datasetOf && start !== SCRATCH ? { datasetId: datasetOf, ...(viewOf ? { viewId: viewOf } : {}), startCheckpointId: start, includeRejected: Boolean(overrides['data.includeRejected'] ?? settings.find(({ key }) => key === 'data.includeRejected')?.value) } : null)
  const refused = demanded === 'news' && (start === SCRATCH || !news.data || isNothingNew(news.data))
  const asked = useSettled(JSON.stringify(input), 300)
  const estimate = useQuery({
    queryKey: ['estimate', asked],
    queryFn: ({ signal }) => api.runs.estimate(JSON.parse(asked), { signal }),
    enabled: asked !== 'null', staleTime: 0, placeholderData: (previous) => previous,
  })
  const sweep = useMemo(() => resolveSweep(settings, swept), [settings, swept])
  const add = useMutation({
    mutationFn: async () => (swept.length === 0 ? await api.runs.start(input!) : (await api.runs.sweep({ run: input!, axes: sweep.axes }))[0]!),
    onSuccess: (run) => {
      setName('')
      setSwept([])
      setDemanded(false)
      onAdded(run)
    },
  })

  const faults = Object.keys(errors).length + sweep.errors.filter((error) => error !== null).length
  const blocked = estimate.data?.problems.some((problem) => problem.blocking) ?? false
  const settled = asked === JSON.stringify(input) && !estimate.isFetching
  const ready = input !== null && faults === 0 && !blocked && estimate.data !== undefined && settled && !refused
  const submit = () => { if (ready && !add.isPending) add.mutate() }
  const last = [...runs].sort((a, b) => b.number - a.number)[0]
  const copySettings = (run: Run): boolean => {
    const from = presets.data?.find((entry) => entry.name === run.preset)
    if (!from) return false
    setPresetName(from.name)
    setDraft(draftFromConfig(from.settings, run.config))
    return true
  }
  const copy = (run: Run) => {
    if (!copySettings(run)) return
    const view = run.viewId === null ? null : `${run.datasetId}/${run.viewId}`
    // The whole dataset would silently be another run than the one that is copied.
    const gone = view !== null && !dataOptions.some((option) => option.value === view)
    if (gone) toast({ tone: 'info', title: t('The view that run {number} was trained on is not there any more', { number: run.number }), detail: t('The whole dataset is chosen instead.') })
    setData(view === null || gone ? run.datasetId : view)
    setStart(run.startCheckpointId ?? SCRATCH)
    if (ownName(run)) setName(t('{name}, again', { name: ownName(run) }).slice(0, 80))
  }
  /** As the run of the checkpoint was, but from the checkpoint and on the data as it is now: what differs afterwards is the data. */
  const onChanged = (checkpoint: Checkpoint | undefined, on: string | null) => {
    const from = runs.find((run) => run.id === checkpoint?.runId)
    // Where the data is told, nothing is said of that of the run.
    if (from) (on ? copySettings : copy)(from)
    if (checkpoint) setStart(checkpoint.id)
    if (on) setData(on)
    setName(checkpoint ? t('Corrections since {checkpoint}', { checkpoint: checkpoint.name }).slice(0, 80) : '')
    setDemanded('news')
    onOpen()
  }
  /** From random weights there is nothing that was seen before, so nothing that has changed since. */
  const chooseStart = (value: string) => {
    setStart(value)
    if (value === SCRATCH) setDemanded(false)
  }
  const startForChanged = () => checkpoints.data?.find(({ id }) => id === start) ?? defaultCheckpoint(checkpoints.data ?? [])
  // The form takes the run's settings once for each time it is asked to, as soon as the presets and the views are there.
  const done = useRef(0)
  useEffect(() => {
    if (!copied || copied.asked === done.current || !presets.data || !dataReady) return
    done.current = copied.asked
    copy(copied.run)
    setDemanded(false)
  })
  const asksForChanged = useRef(false)
  useEffect(() => {
    if (changed && !asksForChanged.current && presets.data && dataReady && checkpoints.data) onChanged(checkpoints.data.find(({ id }) => id === startId) ?? startForChanged(), datasetId)
    if (presets.data && dataReady && checkpoints.data) asksForChanged.current = changed
  })
  useCommands([{ id: 'run.add', title: t('Add the next run to the queue'), group: t('Train'), keys: '$mod+Enter', enabled: ready, run: submit }, { id: 'run.changed', title: t('Train on what I changed'), group: t('Train'), icon: SquarePen, enabled: (checkpoints.data?.length ?? 0) > 0, run: () => onChanged(startForChanged(), chosenData) }])

  if (presets.isPending || datasets.isPending || checkpoints.isPending) return <><PaneHead title={t('Next run')} /><Loading>{t('Loading presets')}</Loading></>
  const failed = presets.error ?? datasets.error ?? checkpoints.error
  if (failed) return <><PaneHead title={t('Next run')} /><Section><ErrorNote error={failed} onRetry={() => { void presets.refetch(); void datasets.refetch(); void checkpoints.refetch() }} /></Section></>

  const change = (key: string, value: string | boolean | null) => setDraft((old) => {
    const next = { ...old }
    if (value === null) delete next[key]
    else next[key] = value
    return next
  })
  const problemOf = (key: string) => errors[key] ?? estimate.data?.problems.find((problem) => problem.key === key && problem.blocking)?.message ?? null
  const basic = settings.filter((setting) => !setting.advanced)
  const more = settings.filter((setting) => setting.advanced)
  const differing = Object.keys(overrides).length
  return (
    <>
      <PaneHead title={t('Next run')}>
        <span className="grow" />
        {last ? <Button kind="ghost" size="s" onClick={() => onCopy(last)}>{t('Copy from run {number}', { number: last.number })}</Button> : null}
        <span className={styles.narrowOnly}><IconButton icon={X} label={t('Close')} onClick={onClose} size="s" /></span>
      </PaneHead>
      <div className="scroll grow">
        <Section>
          <div className={styles.form}>
            <Field label={t('Preset')} hint={preset?.summary} className={styles.full}>
              {({ id }) => <Select id={id} label={t('Preset')} value={preset?.name ?? null} onChange={(value) => { setPresetName(value); setDraft({}); setSwept([]) }} options={(presets.data ?? []).map((entry) => ({ value: entry.name, label: entry.title }))} />}
            </Field>
            <Field label={t('Dataset')} className={styles.full} error={dataOptions.length === 0 ? t('Import a dataset first, in Library') : null}>
              {({ id }) => <Select id={id} label={t('Dataset')} value={chosenData} onChange={setData} options={dataOptions} placeholder={t('No dataset yet')} disabled={dataOptions.length === 0} />}
            </Field>
            <Field label={t('Start from')} className={styles.full}>
              {({ id }) => (
                <Select id={id} label={t('Start from')} value={start} onChange={chooseStart} options={[
                  { value: SCRATCH, label: t('Random weights') },
                  ...(checkpoints.data ?? []).map((checkpoint) => ({ value: checkpoint.id, label: checkpoint.name, detail: parameters(checkpoint.parameters), group: t('Checkpoints') })),
                ]} />
              )}
            </Field>
            {start === SCRATCH ? null : <Changed query={news} demanded={demanded !== false} allTheSame={demanded === 'anyway'} onAllTheSame={() => setDemanded('anyway')} />}
            {(checkpoints.data?.length ?? 0) > 0 && demanded === false ? <div className={styles.full}><Button size="s" icon={SquarePen} onClick={() => onChanged(startForChanged(), chosenData)}>{t('Train on what I changed')}</Button></div> : null}
            {basic.map((setting) => <SettingField key={setting.key} setting={setting} input={draft[setting.key]} error={problemOf(setting.key)} onChange={(value) => change(setting.key, value)} />)}
            <Field label={t('Name')} hint={t('What this run tries, in your words.')} className={styles.full}>{({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={name} maxLength={80} onChange={(event) => setName(event.currentTarget.value)} />}</Field>
            <div className={styles.advancedLine}>
              <button type="button" className={styles.disclose} aria-expanded={advanced} onClick={() => setAdvanced(!advanced)}><Icon of={advanced ? ChevronDown : ChevronRight} size="xs" />{t('Advanced')}</button>
              <span className="hint">{differing === 0 ? t('{n} more, as the preset says', { n: more.length }) : t('{n} of {all} differ from the preset', { n: differing, all: settings.length })}</span>
              {differing > 0 ? <IconButton icon={RotateCcw} label={t('Back to the preset')} size="s" onClick={() => setDraft({})} /> : null}
            </div>
            <Differences settings={settings} overrides={overrides} onBack={(key) => change(key, null)} />
            {advanced ? more.map((setting) => <SettingField key={setting.key} setting={setting} input={draft[setting.key]} error={problemOf(setting.key)} onChange={(value) => change(setting.key, value)} explained />) : null}
            <Sweep settings={settings} axes={swept} errors={sweep.errors} runs={sweep.errors.every((error) => error === null) ? sweep.runs : 0} onChange={setSwept} />
          </div>
        </Section>
        <Section title={t('Before you start')}>
          <div className={styles.need}>
            {estimate.error ? <ErrorNote error={estimate.error} compact onRetry={() => void estimate.refetch()} /> : estimate.data ? <Estimate estimate={estimate.data} measuredSeconds={measured} labels={new Map(settings.map((setting) => [setting.key, setting.label]))} stale={!settled} /> : <p className="t12 c2">{datasetOf ? t('Working out what it needs.') : t('Choose a dataset to see what it needs.')}</p>}
            {input ? <Measure input={input} ready={ready && swept.length === 0} onMeasured={setMeasured} /> : null}
            {add.error ? <ErrorNote error={add.error} title={t('The run was not added')} compact /> : null}
            <Button kind="primary" size="l" wide keys="$mod+Enter" disabled={!ready} busy={add.isPending} onClick={submit}>{swept.length > 0 && sweep.runs > 1 ? t('Add {n} runs to queue', { n: sweep.runs }) : t('Add to queue')}</Button>
          </div>
        </Section>
        {children}
      </div>
    </>
  )
}

/** Every dataset whole, and each of its saved views. The value is "dataset" or "dataset/view". */
function useDataOptions() {
  const datasets = useDatasets()
  const list = datasets.data ?? []
  const views = useQueries({ queries: list.map((dataset) => ({ queryKey: keys.views(dataset.id), queryFn: ({ signal }: { signal: AbortSignal }) => api.views.list({ datasetId: dataset.id }, { signal }) })) })
  const options = list.flatMap((dataset, i) => [
    { value: dataset.id, label: dataset.name, detail: count(dataset.regions), ...(list.length > 1 ? { group: dataset.name } : {}) },
    ...(views[i]?.data ?? []).map((view) => ({ value: `${dataset.id}/${view.id}`, label: view.name, detail: count(view.count), ...(list.length > 1 ? { group: dataset.name } : {}) })),
  ])
  return { options, ready: datasets.data !== undefined && !views.some((query) => query.isPending) }
}
