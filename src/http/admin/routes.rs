//! The addresses of the API with their methods. What is served is written down on the way, so that what is described and what
//! is tested cannot leave an address out.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};

use crate::http::state::App;

/// A method at an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    /// As axum writes it: `/{realm}/users/{id}`.
    pub path: String,
    /// In capitals.
    pub method: String,
}

#[derive(Debug, Default)]
pub(super) struct Routes {
    router: Router<App>,
    operations: Vec<Operation>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn route(mut self, path: &str, methods: Methods) -> Self {
        let operation = |method: &Method| Operation { path: path.to_owned(), method: method.to_string() };
        self.operations.extend(methods.methods.iter().map(operation));
        Self { router: self.router.route(path, methods.router), operations: self.operations }
    }

    /// An address at which there is nothing for anybody, and which answers so.
    pub(super) fn nothing_at(self, path: &str, answer: MethodRouter<App>) -> Self {
        Self { router: self.router.route(path, answer), operations: self.operations }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        Self { router: self.router.merge(other.router), operations: self.operations }
    }

    pub(super) fn into_router(self) -> Router<App> {
        self.router
    }

    pub(super) fn into_operations(self) -> Vec<Operation> {
        self.operations
    }
}

/// What answers at one address, by method.
#[derive(Debug, Default)]
pub(super) struct Methods {
    router: MethodRouter<App>,
    methods: Vec<Method>,
}

macro_rules! methods {
    ($($name:ident $method:ident),*) => {
        $(
            pub(super) fn $name<H: Handler<T, App>, T: 'static>(handler: H) -> Methods {
                Methods::default().$name(handler)
            }
        )*

        impl Methods {
            $(
                pub(super) fn $name<H: Handler<T, App>, T: 'static>(mut self, handler: H) -> Self {
                    self.methods.push(Method::$method);
                    Self { router: self.router.on(MethodFilter::$method, handler), methods: self.methods }
                }
            )*
        }
    };
}

methods!(get GET, post POST, put PUT, delete DELETE);
