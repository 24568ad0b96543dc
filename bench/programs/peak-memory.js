// Runs a program and prints the MiB that it and the processes that it starts took at their peaks, added up, shared pages
// counted in each. A process's last few milliseconds are not seen. Reads Linux's /proc.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const INTERVAL_MS = 5;
const peaks = new Map();

function lookAt(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    peaks.set(pid, Math.max(kib, peaks.get(pid) ?? 0));
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    for (const child of children.trim().split(' ')) if (child !== '') lookAt(child);
  } catch {
    // It ended meanwhile.
  }
}

const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: 'ignore' });
const timer = setInterval(() => lookAt(child.pid), INTERVAL_MS);
child.once('close', (code) => {
  clearInterval(timer);
  if (code !== 0) process.exitCode = 1;
  console.log([...peaks.values()].reduce((sum, kib) => sum + kib, 0) / 1024);
});
