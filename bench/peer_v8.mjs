// One measurement by V8 in node: peer_v8.mjs FILE OUT: compiles FILE from bytes in memory, runs it in the current folder
// with standard output to OUT, prints {"compile_s":…, "run_s":…, and the same by processor time as …_cpu_s} or
// {"refused":…}. The tier is chosen by flags of node.
import { openSync, readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [path, out] = process.argv.slice(2);
const bytes = readFileSync(path);
function clocks() {
    const { user, system } = process.cpuUsage();
    return { wall: Number(process.hrtime.bigint()) / 1e9, cpu: (user + system) / 1e6 };
}
let module, begin = clocks();
try {
    module = new WebAssembly.Module(bytes);
} catch (e) {
    console.log(JSON.stringify({ refused: String(e.message) }));
    process.exit(0);
}
let end = clocks();
const compiled = { compile_s: end.wall - begin.wall, compile_cpu_s: end.cpu - begin.cpu };
const wasi = new WASI({ version: 'preview1', args: ['bench'], preopens: { '.': '.' }, returnOnExit: true,
                        stdout: openSync(out, 'w'), stderr: openSync(out + '.err', 'w') });
const stamp = {};
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport,
    bench: { start: () => { stamp.start = clocks(); }, end: () => { stamp.end = clocks(); } } });
begin = clocks();
const code = wasi.start(instance);
end = clocks();
if (stamp.end !== undefined) ({ start: begin, end } = stamp);
console.log(JSON.stringify(code ? { refused: `exit ${code}` }
    : { ...compiled, run_s: end.wall - begin.wall, run_cpu_s: end.cpu - begin.cpu }));
