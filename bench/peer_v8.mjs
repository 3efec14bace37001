// One measurement by V8 in node: peer_v8.mjs FILE OUT: compiles FILE from bytes in memory, runs it in the current folder
// with standard output to OUT, prints {"compile_s":…, "run_s":…} or {"refused":…}. The tier is chosen by flags of node.
import { openSync, readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [path, out] = process.argv.slice(2);
const bytes = readFileSync(path);
const seconds = () => Number(process.hrtime.bigint()) / 1e9;
let module, begin = seconds();
try {
    module = new WebAssembly.Module(bytes);
} catch (e) {
    console.log(JSON.stringify({ refused: String(e.message) }));
    process.exit(0);
}
const compile_s = seconds() - begin;
const wasi = new WASI({ version: 'preview1', args: ['bench'], preopens: { '.': '.' }, returnOnExit: true,
                        stdout: openSync(out, 'w'), stderr: openSync(out + '.err', 'w') });
const stamp = {};
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport,
    bench: { start: () => { stamp.start = seconds(); }, end: () => { stamp.end = seconds(); } } });
begin = seconds();
const code = wasi.start(instance);
const whole = seconds() - begin;
console.log(JSON.stringify(code ? { refused: `exit ${code}` }
    : { compile_s, run_s: stamp.end === undefined ? whole : stamp.end - stamp.start }));
