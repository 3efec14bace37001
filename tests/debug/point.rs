// Slices, options and structures for debuggers; 39-debug-wasm.sh knows the line.
struct Point {
    x: i32,
    tags: Vec<u8>,
}
#[inline(never)]
fn show(p: &Point, s: &str, v: &[i32], o: Option<i32>) -> usize {
    let n = s.len() + v.len() + p.tags.len();
    println!("{} {}", p.x, n); // line 9
    n + o.unwrap_or(1) as usize
}
fn main() {
    let p = Point { x: 3, tags: vec![1, 2, 3] };
    println!("{}", show(&p, "hello", &[5, 6, 7], Some(4)));
}
