//! The cart, folded from the standard e-commerce events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Timestamp, Value, name};

/// The events that can change a cart.
pub const EVENTS: [&str; 10] = [
    "Product Added",
    "Added Product",
    "Product Removed",
    "Removed Product",
    "Cart Viewed",
    "Viewed Cart",
    "Checkout Started",
    "Started Order",
    "Order Completed",
    "Completed Order",
];

/// The longest text of a line, in bytes; a longer one is replaced by its hash.
const TEXT_BYTES_MAX: usize = 256;

/// What lies in the cart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    /// In the order they were added, at most [`Cart::ITEMS_MAX`].
    pub items: Vec<Item>,
    /// The currency of the last event that named one.
    pub currency: Option<Arc<str>>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// One line of a cart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// `product_id`, else `sku`.
    pub product_id: Arc<str>,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its category.
    pub category: Option<Arc<str>>,
    /// Price of one; unknown when no event told it.
    pub price: Option<f64>,
    /// How many, above 0.
    pub quantity: f64,
}

/// How an event changes a cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Adds to the quantity of a product, or a line.
    Added(Item),
    /// Takes from the quantity of a product; the line goes at zero.
    Removed(Arc<str>, f64),
    /// The event tells the whole cart.
    Replaced(Vec<Item>),
    /// The order is complete.
    Cleared,
}

impl Change {
    /// Returns how an event of this name changes a cart, if it does. Source: Segment e-commerce v2, and its v1 names.
    pub fn of(event: &str, properties: &Value) -> Option<Self> {
        match event {
            "Product Added" | "Added Product" => Item::read(properties).map(Self::Added),
            "Product Removed" | "Removed Product" => {
                let item = Item::read(properties)?;
                Some(Self::Removed(item.product_id, item.quantity))
            }
            "Cart Viewed" | "Viewed Cart" | "Checkout Started" | "Started Order" => {
                let products = properties.get("products")?.as_list()?;
                Some(Self::Replaced(
                    products.iter().filter_map(Item::read).collect(),
                ))
            }
            "Order Completed" | "Completed Order" => Some(Self::Cleared),
            _ => None,
        }
    }

    /// Tells if an event of this name can change a cart, so that its properties must be read.
    pub fn may(event: &str) -> bool {
        EVENTS.contains(&event)
    }
}

impl Item {
    /// Reads one product; without any id there is no line.
    pub fn read(product: &Value) -> Option<Self> {
        let text = |key| match product.get(key)? {
            Value::Text(text) if text.len() > TEXT_BYTES_MAX => {
                Some(name::bounded(text, TEXT_BYTES_MAX))
            }
            Value::Text(text) => Some(text.clone()),
            number @ Value::Number(_) => Some(number.to_string().into()),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        };
        let quantity = product
            .get("quantity")
            .and_then(Value::as_f64)
            .unwrap_or(1.0);
        Some(Self {
            product_id: text("product_id")
                .or_else(|| text("sku"))
                .or_else(|| text("id"))?,
            name: text("name"),
            category: text("category"),
            price: product.get("price").and_then(Value::as_f64),
            quantity: if quantity > 0.0 { quantity } else { 1.0 },
        })
    }

    /// Returns the line as expressions see it.
    pub fn to_value(&self) -> Value {
        let text = |text: &Option<Arc<str>>| text.clone().map_or(Value::Null, Value::Text);
        let all = [
            ("category", text(&self.category)),
            ("name", text(&self.name)),
            ("price", self.price.map_or(Value::Null, Value::Number)),
            ("product_id", Value::Text(self.product_id.clone())),
            ("quantity", Value::Number(self.quantity)),
        ];
        // One allocation: a message may show a hundred lines.
        let mut known = Vec::with_capacity(all.len());
        known.extend(all.into_iter().filter(|(_, value)| *value != Value::Null));
        let keyed = |(key, value)| (name::shared(key), value);
        Value::Map(known.into_iter().map(keyed).collect())
    }
}

impl Cart {
    /// The most lines a cart holds; the oldest makes room.
    pub const ITEMS_MAX: usize = 100;

    /// Applies a change.
    pub fn apply(&mut self, change: &Change, currency: Option<&Arc<str>>, at: Timestamp) {
        match change {
            Change::Added(item) => self.add(item),
            Change::Removed(product_id, quantity) => self.remove(product_id, *quantity),
            Change::Replaced(items) => self.items.clone_from(items),
            Change::Cleared => self.items.clear(),
        }
        let n_over = self.items.len().saturating_sub(Self::ITEMS_MAX);
        self.items.drain(..n_over);
        if let Some(currency) = currency.filter(|it| it.len() <= TEXT_BYTES_MAX) {
            self.currency = Some(currency.clone());
        }
        self.updated_at = Some(at);
    }

    fn add(&mut self, item: &Item) {
        let Some(line) = self
            .items
            .iter_mut()
            .find(|line| line.product_id == item.product_id)
        else {
            self.items.push(item.clone());
            return;
        };
        line.quantity += item.quantity;
        line.price = item.price.or(line.price);
    }

    fn remove(&mut self, product_id: &str, quantity: f64) {
        for line in self
            .items
            .iter_mut()
            .filter(|line| line.product_id.as_ref() == product_id)
        {
            line.quantity -= quantity;
        }
        self.items.retain(|line| line.quantity > 0.0);
    }

    /// Returns the sum of the lines; unknown as soon as one price is.
    pub fn value(&self) -> Option<f64> {
        self.items
            .iter()
            .try_fold(0.0, |sum, item| Some(sum + item.price? * item.quantity))
    }

    /// Returns how many things are in the cart.
    pub fn item_count(&self) -> f64 {
        // `sum` of nothing would be -0, and be shown as such.
        self.items.iter().fold(0.0, |sum, item| sum + item.quantity)
    }
}
