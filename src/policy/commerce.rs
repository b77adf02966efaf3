//! The standard e-commerce events and traits, so that policies are checked before an author declares anything.
//!
//! Source: Segment's e-commerce specification v2, its v1 names, and its reserved traits.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::expr::shape::{Open, Shape};

/// Names of events, v1 names behind `|`, and their properties: `:n` is a number, `:p` products, `:a` anything, else a text, or
/// any single value if it is an id.
const EVENTS: [(&str, &str); 33] = [
    ("Products Searched|Searched Products", "query"),
    (
        "Product List Viewed|Viewed Product Category|Viewed Product List",
        "list_id category products:p",
    ),
    (
        "Product List Filtered|Filtered Product List",
        "list_id category products:p filters:a sorts:a",
    ),
    ("Promotion Viewed|Viewed Promotion", PROMOTION),
    ("Promotion Clicked|Clicked Promotion", PROMOTION),
    ("Product Clicked|Clicked Product", PRODUCT),
    ("Product Viewed|Viewed Product", PRODUCT),
    ("Product Added|Added Product", CART_PRODUCT),
    ("Product Removed|Removed Product", CART_PRODUCT),
    ("Cart Viewed|Viewed Cart", "cart_id products:p"),
    ("Checkout Started|Started Order", ORDER),
    ("Checkout Step Viewed|Viewed Checkout Step", CHECKOUT),
    ("Checkout Step Completed|Completed Checkout Step", CHECKOUT),
    ("Payment Info Entered|Entered Payment Info", CHECKOUT),
    ("Order Completed|Completed Order", ORDER),
    ("Order Updated|Updated Order", ORDER),
    ("Order Refunded|Refunded Order", ORDER),
    ("Order Cancelled|Cancelled Order", ORDER),
    ("Coupon Entered|Entered Coupon", COUPON),
    ("Coupon Applied|Applied Coupon", COUPON),
    ("Coupon Denied|Denied Coupon", COUPON),
    ("Coupon Removed|Removed Coupon", COUPON),
    ("Product Added to Wishlist", WISHLIST),
    ("Product Removed from Wishlist", WISHLIST),
    ("Wishlist Product Added to Cart", WISHLIST),
    ("Product Shared|Shared Product", SHARED_PRODUCT),
    (
        "Cart Shared|Shared Cart",
        "share_via share_message recipient cart_id products:p",
    ),
    (
        "Product Reviewed|Reviewed Product",
        "product_id review_id review_body rating:a",
    ),
    // Not of the standard: what the engine itself listens to and what page views are called.
    ("Consent Changed", "channel purpose status:a consents:a"),
    ("Suppressed|Unsuppressed", "address channel until:a reason"),
    ("Delivery Confirmed|Delivery Failed", "action_id definite:a"),
    (
        "Offer Impression|Offer Clicked|Offer Converted|Offer Rejected",
        "decision_id offer",
    ),
    ("page|screen|identify|group|alias", ""),
];
const PROMOTION: &str = "promotion_id creative name position:a";
const PRODUCT: &str = "product_id sku category name brand variant price:n quantity:n coupon position:n url image_url \
                       currency value:n";
const CART_PRODUCT: &str = "cart_id product_id sku category name brand variant price:n quantity:n coupon position:n \
                            url image_url currency value:n";
const ORDER: &str = "checkout_id order_id affiliation subtotal:n total:n value:n revenue:n shipping:n tax:n discount:n \
                     coupon currency products:p";
const CHECKOUT: &str = "checkout_id order_id step:a shipping_method payment_method";
const COUPON: &str = "order_id cart_id coupon_id coupon_name discount:n reason";
const WISHLIST: &str = "wishlist_id wishlist_name cart_id product_id sku category name brand variant price:n quantity:n \
                        coupon position:n url image_url";
const SHARED_PRODUCT: &str = "share_via share_message recipient product_id sku category name brand variant price:n url \
                              image_url";
const TRAITS: &str = "email:a phone:a name:a firstName:a lastName:a username:a title:a gender:a website:a avatar:a \
                      description:a birthday:a createdAt:a age:a company:a address:a timezone:a locale:a";

/// Returns the properties of the standard events by name.
pub fn events() -> BTreeMap<Arc<str>, Shape> {
    let mut events = BTreeMap::new();
    let product = Shape::map(Open::Standard, read(PRODUCT, &Shape::Any));
    for (names, properties) in EVENTS {
        let known = read(properties, &product);
        let shape = if known.is_empty() {
            Shape::Any
        } else {
            Shape::map(Open::Standard, known)
        };
        for name in names.split('|') {
            events.insert(name.into(), shape.clone());
        }
    }
    events
}

/// Returns the names of the standard events, without their older ones.
pub fn names() -> impl Iterator<Item = &'static str> {
    EVENTS
        .into_iter()
        .filter_map(|(names, _)| names.split('|').next())
}

/// Returns the reserved traits; nobody holds senders to their types.
pub fn traits() -> Vec<(Arc<str>, Shape)> {
    read(TRAITS, &Shape::Any)
}

fn read(words: &str, product: &Shape) -> Vec<(Arc<str>, Shape)> {
    let field = |word: &str| {
        let (name, kind) = word.split_once(':').unwrap_or((word, ""));
        let shape = match kind {
            // Some senders write ids as numbers.
            "" if name.ends_with("_id") || name == "sku" => Shape::Leaf,
            "n" => Shape::Number,
            "p" => Shape::list_of(product.clone()),
            "a" => Shape::Any,
            _ => Shape::Text,
        };
        (Arc::from(name), shape)
    };
    words.split_whitespace().map(field).collect()
}
