// Classes, virtual functions, references and templates for debuggers; 39-debug-wasm.sh knows the lines.
#include <stdio.h>
extern "C" void __cxa_pure_virtual() {
    __builtin_trap();
}
namespace geo {
class Shape {
public:
    virtual double area() const = 0;
    int id = 7;
};
class Rect : public Shape {
public:
    Rect(double w, double h) : w_(w), h_(h) {
        id = 9;
    }
    double area() const override {
        double a = w_ * h_; // line 18
        return a;
    }
    double w_, h_;
};
template <class T> T biggest(const T *p, int n) {
    T best = p[0];
    for (int i = 1; i < n; i++)
        if (p[i] > best) best = p[i];
    return best; // line 27
}
} // namespace geo
static int work(geo::Shape &s, int &out) {
    int geo::Shape::*member = &geo::Shape::id;
    out += (int)s.area(); // line 32
    return out + s.*member;
}
int main() {
    geo::Rect r(3, 4);
    int v[] = {3, 9, 2}, total = 1;
    total += geo::biggest(v, 3);
    int w = work(r, total);
    printf("%d %d\n", total, w);
    return 0;
}
