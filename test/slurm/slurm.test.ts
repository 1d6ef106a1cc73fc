/** A campaign on a Slurm cluster: Debian's, of one node, in namespaces of its own. */
import { execFile } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { testWith } from '../skips.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const isThere = (program: string) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
const programs = ['slurmctld', 'slurmd', 'munged', 'sbatch', 'unshare'].every(isThere)
const isRoot = process.getuid?.() === 0
const testOnSlurm = testWith(programs && isRoot, 'Slurm (apt-get install slurm-wlm) and root', 'TUNGRAM_REQUIRE_SLURM')

interface Ended {
  code: number
  stdout: string
  stderr: string
}

testOnSlurm(
  'an array job gives the bytes of one machine, a task of it being killed in its middle',
  async () => {
    // Short, since the paths of sockets are.
    const directory = mkdtempSync(join(tmpdir(), 'sl-'))
    try {
      const words = [directory, process.execPath, join(here, 'campaign.mjs'), directory, '16']
      // It leaves SIGTERM to what it has started.
      const options = { timeout: 100_000, killSignal: 'SIGKILL' } as const
      const { stdout } = await promisify(execFile)(join(here, 'cluster.sh'), words, options)
      const found: Record<'laptop' | 'killed' | 'interrupted' | 'third' | 'again' | 'apart' | 'refused', Ended> & {
        task: number
        left: number
        same: boolean[]
        files: string[]
      } = JSON.parse(stdout)
      const { laptop, killed, interrupted, third, again, apart, refused, task, left } = found
      expect(laptop).toMatchObject({ code: 0, stderr: '' })

      expect(killed.stderr).toContain('submitted job 1 of 4 tasks')
      const log = join(directory, 'cluster', 'slurm', `1_${task}.log`)
      expect(killed.stderr).toContain(`tungram sim: task ${task} of job 1 ended as FAILED: see ${log}`)
      expect(killed.stderr.match(/ended as/g)).toHaveLength(1)
      expect(killed.stdout).toContain(`${left} run${left === 1 ? '' : 's'} missing`)
      expect(killed.code).toBe(1)
      // It had done one of its four.
      expect([1, 2, 3]).toContain(left)

      const job = /^submitted job (\d+) of 1 task$/m.exec(interrupted.stderr)?.[1]
      expect(interrupted.stderr).toContain(`job ${job} goes on: call again to wait for it; 'scancel ${job}' ends it`)
      expect(interrupted.code).toBe(130)
      expect(third).toMatchObject({ code: 0, stdout: laptop.stdout })
      expect(third.stderr).toContain(`job ${job} was submitted before: waiting for it`)
      expect(again).toEqual({ code: 0, stdout: laptop.stdout, stderr: '' })
      expect(found.same).toEqual([true, true])
      expect(found.files.sort()).toEqual(
        [
          'README.md',
          'campaign.json',
          'flows.csv',
          'hops.csv',
          'results.json',
          'runs.jsonl',
          'scenario.json',
          'slurm',
        ].sort(),
      )

      expect(apart.code).toBe(1)
      expect(apart.stderr).toContain(`is ${directory}/apart/results a folder that this machine shares with the nodes?`)
      expect(apart.stdout).toContain('16 runs missing')
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/sbatch did not take \S+job\.sh: .*invalid partition.*correct it with --sbatch/)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  120_000,
)
