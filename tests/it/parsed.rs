//! The source files as the compiler reads them: which modules each one names, and which words it compares with.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// One file of `src/`.
pub struct Parsed {
    /// Modules of this crate that its code names, from the root: `["jobs", "kind", "JobKind"]`, with the line.
    pub paths: Vec<(usize, Vec<String>)>,
    /// Text literals that something is compared or matched with, with the line.
    pub compared: Vec<(usize, String)>,
}

/// Parses a file; what only tests compile is left out.
pub fn parse(name: &str, text: &str) -> Parsed {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut module: Vec<String> = name.trim_start_matches("src/").trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    let mut reader = Reader { module, paths: Vec::new(), compared: Vec::new() };
    reader.visit_file(&file);
    Parsed { paths: reader.paths, compared: reader.compared }
}

struct Reader {
    module: Vec<String>,
    paths: Vec<(usize, Vec<String>)>,
    compared: Vec<(usize, String)>,
}

fn line(span: Span) -> usize {
    span.start().line
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|one| one.path().is_ident("cfg") && matches!(&one.meta, syn::Meta::List(list) if list.tokens.to_string() == "test"))
}

impl Reader {
    /// Takes down a path when it leads into this crate.
    fn path(&mut self, at: usize, segments: &[String]) {
        let mut from = match segments.first().map(String::as_str) {
            Some("crate" | "self" | "super") => self.module.clone(),
            _ => return,
        };
        let mut rest = segments;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => from.clear(),
                "super" => drop(from.pop()),
                "self" => {}
                _ => break,
            }
            rest = others;
        }
        from.extend(rest.iter().cloned());
        self.paths.push((at, from));
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &[String], at: usize) {
        let with = |one: &syn::Ident| [before, &[one.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident), line(path.ident.span())),
            syn::UseTree::Name(name) => self.path(line(name.ident.span()), &with(&name.ident)),
            syn::UseTree::Rename(name) => self.path(line(name.ident.span()), &with(&name.ident)),
            syn::UseTree::Glob(_) => self.path(at, before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|one| self.tree(one, before, at)),
        }
    }

    /// What stands in a macro's call is not parsed, so paths and comparisons are read from its words: all of them where the
    /// macro compares, those beside `==` and `!=` elsewhere.
    fn tokens(&mut self, tokens: TokenStream, compares: bool) {
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: Option<usize>, mark: char| {
            at.and_then(|at| all.get(at)).is_some_and(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark))
        };
        let beside = |at: usize| {
            let before = is(at.checked_sub(1), '=') && (is(at.checked_sub(2), '=') || is(at.checked_sub(2), '!'));
            before || is(Some(at + 2), '=') && (is(Some(at + 1), '=') || is(Some(at + 1), '!'))
        };
        let mut index = 0;
        while let Some(token) = all.get(index) {
            index += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream(), compares),
                TokenTree::Literal(literal) if compares || beside(index - 1) => self.word(literal.span(), &literal.to_string()),
                TokenTree::Ident(first) if ["crate", "super", "self"].contains(&first.to_string().as_str()) => {
                    let mut segments = vec![first.to_string()];
                    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(next), ..] = &all[index..]
                        && one.as_char() == ':'
                        && two.as_char() == ':'
                    {
                        segments.push(next.to_string());
                        index += 3;
                    }
                    if segments.len() > 1 {
                        self.path(line(first.span()), &segments);
                    }
                }
                _ => {}
            }
        }
    }

    fn word(&mut self, span: Span, literal: &str) {
        if let Some(text) = literal.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            self.compared.push((line(span), text.to_owned()));
        }
    }

    fn compare(&mut self, side: &syn::Expr) {
        match side {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
                self.compared.push((line(text.span()), text.value()))
            }
            syn::Expr::Reference(inner) => self.compare(&inner.expr),
            syn::Expr::Paren(inner) => self.compare(&inner.expr),
            syn::Expr::Call(call) => call.args.iter().for_each(|one| self.compare(one)),
            syn::Expr::Tuple(tuple) => tuple.elems.iter().for_each(|one| self.compare(one)),
            syn::Expr::Array(array) => array.elems.iter().for_each(|one| self.compare(one)),
            syn::Expr::MethodCall(call) => self.compare(&call.receiver),
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&item.tree, &[], 0);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|one| one.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(first) = path.segments.first()
        {
            self.path(line(first.ident.span()), &segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let compares = ["matches", "assert_eq", "assert_ne"].contains(&name.as_str());
        self.tokens(call.tokens.clone(), compares);
        visit::visit_macro(self, call);
    }

    fn visit_expr_binary(&mut self, binary: &'a syn::ExprBinary) {
        if matches!(binary.op, syn::BinOp::Eq(_) | syn::BinOp::Ne(_)) {
            self.compare(&binary.left);
            self.compare(&binary.right);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        if ["contains", "eq", "ne", "starts_with", "ends_with"].contains(&call.method.to_string().as_str()) {
            self.compare(&call.receiver);
            call.args.iter().for_each(|one| self.compare(one));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat(&mut self, pattern: &'a syn::Pat) {
        if let syn::Pat::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = pattern {
            self.compared.push((line(text.span()), text.value()));
        }
        visit::visit_pat(self, pattern);
    }
}
