// Collections, 128-bit integers, floats, trait objects, iterators, strings, files of the standard library.
use std::cell::RefCell;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::rc::Rc;

trait Shape {
    fn area(&self) -> f64;
    fn name(&self) -> String;
}
struct Circle(f64);
struct Rect(f64, f64);
impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.0 * self.0
    }
    fn name(&self) -> String {
        format!("circle {}", self.0)
    }
}
impl Shape for Rect {
    fn area(&self) -> f64 {
        self.0 * self.1
    }
    fn name(&self) -> String {
        format!("rectangle {}x{}", self.0, self.1)
    }
}

fn gcd128(a: u128, b: u128) -> u128 {
    if b == 0 {
        a
    } else {
        gcd128(b, a % b)
    }
}

fn show<T: Display>(what: &str, all: impl Iterator<Item = T>) {
    println!("{what}: {}", all.map(|x| x.to_string()).collect::<Vec<_>>().join(" "));
}

fn dijkstra(n: usize) -> Vec<u64> {
    let mut dist = vec![u64::MAX; n];
    let mut heap = BinaryHeap::new();
    dist[0] = 0;
    heap.push((std::cmp::Reverse(0u64), 0usize));
    while let Some((std::cmp::Reverse(d), u)) = heap.pop() {
        if d > dist[u] {
            continue;
        }
        for k in 1..4 {
            let v = (u * 7 + k * 13) % n;
            let w = ((u ^ v) % 17 + k) as u64;
            if d + w < dist[v] {
                dist[v] = d + w;
                heap.push((std::cmp::Reverse(d + w), v));
            }
        }
    }
    dist
}

fn main() -> std::io::Result<()> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for w in "to be or not to be that is the question to be".split_whitespace() {
        *counts.entry(w).or_default() += 1;
    }
    let sorted: BTreeMap<_, _> = counts.into_iter().collect();
    println!("{sorted:?}");
    let fib = (0..180).scan((0u128, 1u128), |s, _| {
        let r = s.0;
        *s = (s.1, s.0 + s.1);
        Some(r)
    });
    show("fib", fib.skip(170));
    println!("{}", gcd128(u128::MAX - 158, 1 << 100 | 12345678912345));
    println!("{} {}", (-7i128).rem_euclid(3), i128::MIN.wrapping_div(-1));
    println!("{:?} {:?}", 200u8.checked_add(100), 5i32.overflowing_mul(i32::MAX));
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Circle(1.5)), Box::new(Rect(2.0, 3.25))];
    for s in &shapes {
        println!("{} {:.10}", s.name(), s.area());
    }
    show("dist", dijkstra(50).into_iter());
    let shared = Rc::new(RefCell::new(VecDeque::new()));
    for i in 0..10 {
        let s = Rc::clone(&shared);
        s.borrow_mut().push_front(i * i);
    }
    show("deque", shared.borrow().iter());
    let primes: HashSet<u32> = (2..200).filter(|n| (2..*n).all(|d| n % d != 0)).collect();
    println!("{} primes", primes.len());
    for x in [0.1 + 0.2, 1e300 * 1e10, -0.0, 5e-324, 123456789.125] {
        println!("{x:?} {:.3} {:e} {} {}", x, x, x as i32, (x as f32).to_bits());
    }
    let text = "Grüße, 世界! \u{1F980}";
    println!("{} {} {:?}", text.len(), text.chars().count(), text.to_uppercase());
    println!("{:?}", "12x".parse::<i64>().map_err(|e| e.to_string()));
    {
        let mut f = std::fs::File::create("rust_lines.txt")?;
        for i in 0..5 {
            writeln!(f, "line {i}")?;
        }
    }
    let total: usize = BufReader::new(std::fs::File::open("rust_lines.txt")?).lines().map(|l| l.unwrap().len()).sum();
    println!("{total}");
    std::fs::remove_file("rust_lines.txt")?;
    println!("{}", std::fs::metadata("rust_lines.txt").is_err());
    std::process::exit(7)
}
