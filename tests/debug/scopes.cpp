// Names with scopes, inlined and not.
namespace geo {
template <class T> struct Vec {
    T x, y;
    T norm() const { return x * x / (y ? y : (T)1); }
    struct Inner {
        static int deep(int a);
    };
};
template <class T> int Vec<T>::Inner::deep(int a) {
    return a / (a - 3);
}
enum class Kind { A, B };
static inline int pick(Kind k, int v) {
    switch (k) {
    case Kind::A: return v / 3;
    default: return v % 7;
    }
}
} // namespace geo

extern "C" int f(int a) {
    geo::Vec<int> v{a, a + 1};
    return v.norm() + geo::Vec<int>::Inner::deep(a) + geo::pick((geo::Kind)(a & 1), a);
}
