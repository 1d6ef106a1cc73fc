import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { DoneCounter } from '../../../src/network-node/done-counter.ts'
import { type ArrayJob, jobScript, queuedJob, submit, waitFor } from '../../../src/network-node/engines/slurm.ts'

const folder = mkdtempSync(join(tmpdir(), 'slurm-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

const job = (changes: Partial<ArrayJob> = {}): ArrayJob => ({
  directory: join(folder, 'results'),
  command: ['echo', "it's", '$HOME', '--sweep', 'loss=0,1%'],
  shards: 9,
  tasks: [0, 1, 2, 5, 7, 8],
  cpus: 2,
  options: [],
  ...changes,
})

/** Programs in the place of Slurm's, which are scripts of a shell. */
function programs(name: string, scripts: Record<string, string>): string {
  const at = join(folder, name)
  mkdirSync(at)
  for (const [program, script] of Object.entries(scripts))
    writeFileSync(join(at, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  vi.stubEnv('PATH', `${at}:/usr/bin:/bin`)
  return at
}

test('the script names the tasks that have something to do, and runs as it is written', () => {
  const directory = join(folder, "a 100% o'clock")
  const script = jobScript(job({ directory, atOnce: 3 }))
  expect(script).toContain('\n#SBATCH --array=0-2,5,7-8%3\n')
  expect(script).toContain('\n#SBATCH --cpus-per-task=2\n')
  // A % is Slurm's sign for what differs between tasks.
  expect(script).toContain(`\n#SBATCH --output="${folder}/a 100%% o'clock/slurm/%A_%a.log"\n`)
  const path = join(folder, 'script.sh')
  writeFileSync(path, script)
  const run = () => execFileSync('bash', [path], { encoding: 'utf8', stdio: 'pipe', env: { SLURM_ARRAY_TASK_ID: '7' } })
  expect(run).toThrow(`${directory} is not there on`)
  mkdirSync(directory)
  writeFileSync(join(directory, 'campaign.json'), '')
  expect(run()).toBe("it's $HOME --sweep loss=0,1% --shard 8/9\n")
})

test('without Slurm, or with a folder that it cannot name, nothing is submitted', async () => {
  vi.stubEnv('PATH', folder)
  await expect(submit(job())).rejects.toThrow('there is no sbatch: --engine slurm is for a machine with')
  await expect(submit(job({ directory: join(folder, 'a\nb') }))).rejects.toThrow('give another folder to --results')
  expect(existsSync(join(folder, 'a\nb'))).toBe(false)
  expect(await queuedJob(join(folder, 'none'))).toBe(null)
})

test('a controller that is away for a while is waited for, one that stays away is an error', async () => {
  const { signal } = new AbortController()
  const at = programs('away', {
    squeue: `echo x >> ${folder}/calls
case $(wc -l < ${folder}/calls) in
1) echo '0|RUNNING|None'; echo '1|PENDING|Priority';;
2|3) echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1;;
*) echo '0|COMPLETED|None'; echo '1|FAILED|NonZeroExitCode';;
esac`,
  })
  const seen: string[] = []
  const ended = await waitFor(
    '7',
    signal,
    (tasks) => seen.push([...tasks.values()].map(({ state }) => state).join()),
    [1, 1],
  )
  expect(seen).toEqual(['RUNNING,PENDING', 'RUNNING,PENDING', 'RUNNING,PENDING', 'COMPLETED,FAILED'])
  expect(ended.get(1)).toEqual({ state: 'FAILED', reason: 'NonZeroExitCode' })
  writeFileSync(join(at, 'squeue'), '#!/bin/sh\necho "Unable to contact slurm controller" >&2; exit 1', { mode: 0o755 })
  await expect(waitFor('7', signal, () => {}, [1, 1])).rejects.toThrow(
    'squeue does not tell how job 7 stands: Unable to contact slurm controller; it goes on: call again',
  )
})

test('what the controller has forgotten is in the accounts, where there are some', async () => {
  const { signal } = new AbortController()
  const squeue = `echo x >> ${folder}/looks
if [ $(wc -l < ${folder}/looks) = 1 ]; then printf '0|RUNNING|None\\n1|RUNNING|None\\n2|RUNNING|None\\n'
else echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; fi`
  programs('forgotten', { squeue, sacct: "printf '7_0|COMPLETED\\n7_1|CANCELLED by 1000\\n'" })
  const ended = await waitFor('7', signal, () => {}, [1, 1])
  expect([...ended.values()].map(({ state }) => state)).toEqual(['COMPLETED', 'CANCELLED', 'UNKNOWN'])
})

test('a job that was submitted is remembered until it has ended', async () => {
  const at = programs('remembered', {
    sbatch: 'echo "$@" > "$(dirname "$0")/called"; echo "12;cluster"',
    squeue: "echo '0|PENDING|Priority'",
  })
  expect(await submit(job({ options: ['--partition=long', '--time=1:00'] }))).toBe('12')
  const script = join(folder, 'results', 'slurm', 'job.sh')
  expect(readFileSync(join(at, 'called'), 'utf8')).toBe(`--parsable --partition=long --time=1:00 ${script}\n`)
  expect(await queuedJob(join(folder, 'results'))).toEqual({ job: '12', shards: 9 })
  writeFileSync(join(at, 'squeue'), "#!/bin/sh\necho '0|COMPLETED|None'", { mode: 0o755 })
  expect(await queuedJob(join(folder, 'results'))).toBe(null)
})

test('the runs of a folder are counted as they are written, whole lines alone', () => {
  const at = join(folder, 'counted')
  mkdirSync(at)
  const counter = new DoneCounter(at)
  expect(counter.count()).toBe(0)
  writeFileSync(join(at, 'runs-1-of-2.jsonl'), '{"status":"done","é":1}\n{"status":"failed"}\n{"status":"do')
  writeFileSync(join(at, 'runs-2-of-2.jsonl'), `${JSON.stringify({ status: 'done', long: 'é'.repeat(1 << 20) })}\n`)
  expect(counter.count()).toBe(2)
  expect(counter.count()).toBe(2)
  writeFileSync(join(at, 'runs-1-of-2.jsonl'), 'ne"}\n', { flag: 'a' })
  expect(counter.count()).toBe(3)
})
